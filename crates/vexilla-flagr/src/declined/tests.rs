//! What a refusal is about.

use super::*;

#[test]
fn shapes() {
    let check = |status: u16, body: &str, path: bool, object: bool, other: bool| {
        let status = StatusCode::from_u16(status).unwrap();
        let declined = Declined { status, body: body.as_bytes().to_vec() };
        let found =
            (declined.no_such_path(), declined.no_such_object(), declined.took_it_for_another());
        assert_eq!(found, (path, object, other), "{status} {body}");
    };
    check(404, "{\"message\":\"unable to find flag 99 in the database\"}\n", true, true, false);
    check(404, r#"{"code":404,"message":"path /api/v1/x was not found"}"#, true, false, false);
    check(404, "404 page not found", true, false, false);
    check(404, "{}", true, false, false);
    check(405, r#"{"code":405,"message":"method GET is not allowed"}"#, true, false, false);
    check(501, "\"operation flag.FindFlags has not yet been implemented\"\n", true, false, false);
    check(
        422,
        r#"{"code":601,"message":"flagID in path must be of type int64"}"#,
        false,
        false,
        true,
    );
    check(400, r#"{"code":400,"message":"parsing"}"#, false, false, true);
    check(400, "{\"message\":\"no\"}\n", false, false, false);
    check(422, "", false, false, false);
}
