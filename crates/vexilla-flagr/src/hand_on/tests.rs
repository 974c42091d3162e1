//! What goes with an evaluation.

use super::*;

fn handed_on(given: &[(&str, &str)], credentials: Option<&str>) -> Vec<(String, String)> {
    let given = given.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    let credentials = credentials.map(|it| HeaderName::try_from(it).unwrap());
    let headers = headers(&Context::new("u1").with_headers(given), credentials.as_ref(), false);
    let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

#[test]
fn headers_of_the_user_go_on() {
    let given = [("CF-IPCountry", "US"), ("x-a", "1"), ("X-A", "ü"), ("User-Agent", "phone")];
    let mut found = handed_on(&given, None);
    found.sort();
    let expected = [("cf-ipcountry", "US"), ("user-agent", "phone"), ("x-a", "1"), ("x-a", "ü")];
    assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(handed_on(&[], None), []);
}

#[test]
fn a_trace_goes_on_where_we_tell_none() {
    let trace = [("traceparent".into(), "00-1-2-01".into()), ("tracestate".into(), "a=b".into())];
    let context = Context::new("u1").with_trace(trace.into());
    let told = headers(&context, None, false);
    assert_eq!(told.get("traceparent").unwrap(), "00-1-2-01");
    assert_eq!(told.get("tracestate").unwrap(), "a=b");
    assert!(headers(&context, None, true).is_empty());
}

#[test]
fn what_is_ours_does_not() {
    for name in [
        "Authorization",
        "Content-Type",
        "content-length",
        "Content-Encoding",
        "HOST",
        "Accept",
        "Accept-Encoding",
        "Connection",
        "Transfer-Encoding",
        "Proxy-Authorization",
        "Cookie",
        "X-Key",
    ] {
        assert_eq!(handed_on(&[(name, "x")], Some("x-key")), [], "{name}");
    }
    assert_eq!(handed_on(&[("X-Key", "x")], None).len(), 1);
}

#[test]
fn what_no_header_can_be_does_not_either() {
    for (name, value) in [("", "x"), ("a b", "x"), ("a:", "x"), ("a", "x\r\ny: z"), ("a", "\0")] {
        assert_eq!(handed_on(&[(name, value)], None), [], "{name:?} {value:?}");
    }
}
