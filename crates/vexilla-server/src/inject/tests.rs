//! What is added to contexts, in Flagr's words for it.

use std::time::{Duration, SystemTime};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use vexilla_domain::json::write_value;
use vexilla_domain::{Context, Value};

use super::{Additions, Injector};
use crate::config::Injection;

/// 2023-11-19 is a Sunday; 23:59:59 UTC.
const SUNDAY: u64 = 1_700_438_399;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::try_from(*name).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

fn injected(context: Context, pairs: &[(&str, &str)]) -> String {
    let injector = Injector::new(&Injection {
        headers: vec![" Host ".into(), "X-User".into(), String::new()],
        prefixes: vec!["CF-".into(), " ".into(), "ho".into()],
        ..Injection::default()
    });
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(SUNDAY);
    let context = injector.time_and_headers(now, &headers(pairs)).add_to(context);
    let mut out = Vec::new();
    write_value(&mut out, context.attributes().unwrap());
    String::from_utf8(out).unwrap()
}

#[test]
fn time_and_listed_headers_are_added() {
    let time = r#""@ts":1700438399,"@ts_hour":23,"@ts_month":11,"@ts_weekday":0"#;
    for (pairs, expected) in [
        (&[][..], format!("{{{time}}}")),
        (&[("cf-ipcountry", "US")], format!(r#"{{"@http_cf_ipcountry":"US",{time}}}"#)),
        (&[("X-USER", "é")], format!(r#"{{"@http_x_user":"é",{time}}}"#)),
        (&[("x-user", "a"), ("x-user", "b")], format!(r#"{{"@http_x_user":"a, b",{time}}}"#)),
        (&[("x-user", "")], format!("{{{time}}}")),
        (
            &[("host", "h:1"), ("hop", "x")],
            format!(r#"{{"@http_hop":"x","@http_host":"h:1",{time}}}"#),
        ),
        (&[("x-users", "a"), ("accept", "b")], format!("{{{time}}}")),
    ] {
        assert_eq!(injected(Context::default(), pairs), expected);
    }
}

#[test]
fn host_counts_only_by_its_name() {
    let injector =
        Injector::new(&Injection { prefixes: vec!["ho".into()], ..Injection::default() });
    let context = injector
        .time_and_headers(SystemTime::UNIX_EPOCH, &headers(&[("host", "h")]))
        .add_to(Context::default());
    assert!(context.object().unwrap().get("@http_host").is_none());
}

#[test]
fn what_is_added_replaces_and_what_is_no_object_is_replaced() {
    let mine = Context::new("u").with("@ts", 1).with("@http_x_user", "me").with("a", "b");
    let text = injected(mine, &[]);
    assert!(text.starts_with(r#"{"@http_x_user":"me","@ts":1700438399,"#), "{text}");
    assert!(text.ends_with(r#""a":"b"}"#), "{text}");
    let list = Context::new("u").with_attributes(Some(Value::from(vec![1, 2])));
    assert!(injected(list, &[]).starts_with(r#"{"@ts":"#));
}

#[test]
fn credentials_and_what_belongs_to_the_connection_are_not_handed_on() {
    let all = headers(&[
        ("authorization", "secret"),
        ("cookie", "secret"),
        ("host", "h"),
        ("content-type", "t"),
        ("accept-language", "de"),
        ("connection", "x-mine, close"),
        ("x-mine", "1"),
        ("keep-alive", "1"),
        ("transfer-encoding", "chunked"),
        ("if-none-match", "*"),
        ("cf-ipcountry", "US"),
        ("x-forwarded-for", "10.0.0.1"),
    ]);
    let context = Additions::forwarded(&all).add_to(Context::new("u"));
    let names: Vec<&str> = context.headers().iter().map(|it| &*it.0).collect();
    assert_eq!(names, ["cf-ipcountry", "x-forwarded-for"]);
    assert!(context.trace().is_empty());
}

#[test]
fn a_trace_goes_along_beside_what_is_asked() {
    let traced = headers(&[("tracestate", "a=b"), ("traceparent", "00-1-2-01"), ("x", "1")]);
    let context = Additions::forwarded(&traced).add_to(Context::new("u"));
    let names =
        |it: &[(Box<str>, Box<str>)]| it.iter().map(|it| it.0.to_string()).collect::<Vec<_>>();
    assert_eq!(names(context.trace()), ["traceparent", "tracestate"]);
    assert_eq!(names(context.headers()), ["x"]);
    let stateless = headers(&[("tracestate", "a=b")]);
    assert!(Additions::forwarded(&stateless).add_to(Context::new("u")).trace().is_empty());
}

#[test]
fn credentials_are_added_only_where_nothing_keeps_them_out() {
    let sent = [("authorization", "Bearer t"), ("cookie", "a=b"), ("proxy-authorization", "x")];
    let sent = headers(&sent);
    let names = || vec!["Authorization".to_owned(), "x".to_owned()];
    let prefixes = || vec!["c".to_owned(), "proxy-".to_owned()];
    let added = |injection: &Injection| {
        let now = SystemTime::UNIX_EPOCH;
        let members = Injector::new(injection).time_and_headers(now, &sent);
        members.0.iter().filter(|it| it.0.starts_with("@http_")).count()
    };
    let default = Injection { headers: names(), prefixes: prefixes(), ..Injection::default() };
    assert_eq!(added(&default), 0);
    let except = vec![" COOKIE ".to_owned()];
    assert_eq!(added(&Injection { headers: names(), prefixes: prefixes(), except }), 2);
}
