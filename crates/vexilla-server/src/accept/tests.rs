//! What fits, beyond what was recorded.

use super::*;

#[test]
fn commas_in_quotes_do_not_end_a_range() {
    for (accept, takes) in [
        (r#"text/html;a="x,y", application/json"#, true),
        (r#"text/html;a="x, application/json"#, false),
        (r#"text/html;a="\", application/json", text/plain"#, false),
        (r#"text/html;a="\\", application/json"#, true),
        ("text/html;\u{fffd}, */*", true),
        ("application/json;q=nan", true),
        ("application/json;q=1e-400", false),
        ("application/json;q=-0", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_bytes(accept.as_bytes()).unwrap());
        assert_eq!(takes_json(&headers), takes, "{accept}");
    }
}
