//! Paths and methods, as a real Flagr took them.

use http::Method;

use super::Route;

fn check(method: &Method, path: &str, expected: Result<Route, &str>) {
    let found = Route::find(method, path).map_err(|it| it.message().to_owned());
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
    check(&Method::POST, "/api/v1/evaluation/", Ok(Route::Evaluation));
    check(&Method::POST, "/api/v1/evaluation/batch", Ok(Route::Batch));
    check(&Method::GET, "/api/v1/export/eval_cache/json", Ok(Route::Export));
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
        Err("method DELETE is not allowed, but [POST] are"),
    );
}
