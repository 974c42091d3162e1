//! Paths and methods, as a real Flagr took them.

use http::Method;

use super::{Elsewhere, Route};

fn check(method: &Method, path: &str, expected: Result<Route, &str>) {
    let found = Route::find(method, path).map_err(|it| match it {
        Elsewhere::Operation(operation) => operation.to_owned(),
        Elsewhere::Ofrep(refusal) => format!("ofrep: {}", refusal.message()),
        Elsewhere::Nowhere(refusal) => refusal.message().to_owned(),
    });
    assert_eq!(found, expected.map_err(str::to_owned), "{method} {path}");
}

#[test]
fn paths_are_cleaned_as_go_cleans_them() {
    for path in [
        "/api/v1/health",
        "/api/v1/health/",
        "//api/v1/health",
        "/api/v1/../v1/./health",
        "/../api/v1/health",
    ] {
        check(&Method::GET, path, Ok(Route::Health));
    }
    check(&Method::POST, "/api/v1/evaluation/", Ok(Route::PostEvaluation));
    check(&Method::GET, "/api/v1/evaluation/", Ok(Route::GetEvaluation));
    check(&Method::POST, "/api/v1/evaluation/batch", Ok(Route::PostBatch));
    check(&Method::GET, "/api/v1/evaluation/batch", Ok(Route::GetBatch));
    check(&Method::GET, "/api/v1/export/eval_cache/json", Ok(Route::Export));
    check(&Method::GET, "/api/v1/flags/snapshots/max_id", Ok(Route::MaxSnapshotId));
}

#[test]
fn a_key_in_a_path_may_hold_anything() {
    let flag = |key: &str| Ok(Route::OfrepFlag(key.into()));
    check(&Method::POST, "/ofrep/v1/evaluate/flags/a/b", flag("a/b"));
    check(&Method::POST, "/ofrep/v1/evaluate/flags/a%2Fb", flag("a%2Fb"));
    check(&Method::POST, "/ofrep/v1/evaluate/flags/..", flag(".."));
    check(&Method::POST, "/ofrep/v1/evaluate/flags/", Ok(Route::OfrepFlags));
    check(&Method::POST, "/ofrep/v1/evaluate/flags", Ok(Route::OfrepFlags));
    let refused = "ofrep: method GET is not allowed, but [POST] are";
    check(&Method::GET, "/ofrep/v1/evaluate/flags", Err(refused));
    check(
        &Method::POST,
        "/ofrep/v1/evaluate/flagsx",
        Err("path /ofrep/v1/evaluate/flagsx was not found"),
    );
}

#[test]
fn others_are_refused_in_flagrs_words() {
    for path in ["/", "/nope", "/api/v1", "/api/v1/", "/api/v1/%68ealth", "/api/v1/n%C3%A9/%22x"] {
        check(&Method::POST, path, Err(&format!("path {path} was not found")));
    }
    check(&Method::PUT, "/api/v1/health", Err("method PUT is not allowed, but [GET] are"));
    check(&Method::HEAD, "/api/v1/health", Err("method HEAD is not allowed, but [GET] are"));
    check(
        &Method::DELETE,
        "/api/v1/evaluation/",
        Err("method DELETE is not allowed, but [GET,POST] are"),
    );
    check(
        &Method::PATCH,
        "/api/v1/flags/1",
        Err("method PATCH is not allowed, but [DELETE,GET,PUT] are"),
    );
}

#[test]
fn what_only_a_whole_flagr_has_is_known_by_name() {
    for (method, path, operation) in [
        (Method::GET, "flags", "flag.FindFlags"),
        (Method::GET, "flags/entity_types", "flag.GetFlagEntityTypes"),
        (Method::GET, "flags/7", "flag.GetFlag"),
        (Method::PUT, "flags/7/segments/reorder", "segment.PutSegmentsReorder"),
        (Method::PUT, "flags/7/segments/8", "segment.PutSegment"),
        (Method::DELETE, "flags/7/segments/8/constraints/9", "constraint.DeleteConstraint"),
    ] {
        check(&method, &format!("/api/v1/{path}"), Err(operation));
    }
}
