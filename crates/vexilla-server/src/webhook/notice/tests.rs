//! What `notice` promises.

use proptest::prelude::*;
use vexilla_domain::{FlagId, FlagName};

use super::Notice;

/// What a body comes to: the flags as `id:key`, or the message.
fn read(body: &str) -> String {
    match Notice::read(body.as_bytes()) {
        Ok(notice) => {
            let names = notice.flags.iter().map(|it| format!("{}:{}", it.id, it.key));
            names.collect::<Vec<_>>().join(" ")
        }
        Err(problem) => format!("{problem:?}"),
    }
}

#[test]
fn both_dialects_are_read() {
    for (body, flags) in [
        (
            r#"{"event":"flag.updated","flag_keys":["a","b"],"timestamp":"2025-01-15T10:30:00Z"}"#,
            "0:a 0:b",
        ),
        (r#"{"event":"flag.deleted","flag_keys":["a"]}"#, "0:a"),
        (r#"{"operation":"restore","flag_id":3,"flag_key":"k","component_type":"flag"}"#, "3:k"),
        (r#"{"operation":"anything","flag_id":3,"pre_value":"{}","new":[{"a":null}]}"#, "3:"),
        (r#"{"operation":"update","flag_key":"k"}"#, "0:k"),
    ] {
        assert_eq!(read(body), flags, "{body}");
    }
    let time =
        Notice::read(br#"{"operation":"update","flag_id":1,"timestamp":"1970-01-01T00:00:02.5Z"}"#);
    let expected = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(2500);
    assert_eq!(time.unwrap().time().unwrap(), Some(expected));
}

#[test]
fn a_time_is_read_only_when_it_is_asked_for() {
    let notice = |time: &str| {
        let body = format!(r#"{{"operation":"update","flag_id":1,"timestamp":{time}}}"#);
        Notice::read(body.as_bytes()).unwrap()
    };
    for time in ["\"soon\"", "1700000000", "\"\"", "{}", "\"2025-01-15T10:30:00\""] {
        let problem = notice(time).time().unwrap_err();
        assert!(format!("{problem:?}").contains("`timestamp`: "), "{problem:?}");
    }
    assert_eq!(notice("null").time().unwrap(), None);
}

#[test]
fn what_is_wrong_is_named() {
    for (body, part) in [
        ("", "the body: EOF"),
        ("[]", "the body: invalid"),
        ("{}", "`event` or `operation` is missing"),
        (
            r#"{"event":"flag.exploded","flag_keys":["a"]}"#,
            "`event`: unknown variant `flag.exploded`",
        ),
        (r#"{"event":"flag.updated"}"#, "`flag_keys` is missing or empty"),
        (r#"{"event":"flag.updated","flag_keys":[]}"#, "`flag_keys` is missing or empty"),
        (r#"{"event":"flag.updated","flag_keys":["a",""]}"#, "`flag_keys` holds an empty key"),
        (r#"{"event":"flag.updated","flag_keys":["a",1]}"#, "`flag_keys[1]`: invalid type"),
        (r#"{"event":"flag.updated","flag_keys":"a"}"#, "`flag_keys`: invalid type"),
        (r#"{"event":"flag.updated","operation":"update","flag_id":1}"#, "two dialects"),
        (r#"{"operation":"update"}"#, "`flag_id` and `flag_key` are missing"),
        (
            r#"{"operation":"update","flag_id":0,"flag_key":""}"#,
            "`flag_id` and `flag_key` are missing",
        ),
        (r#"{"operation":"update","flag_id":-1}"#, "`flag_id`: invalid value"),
        (r#"{"operation":"update","flag_id":1,"flag_id":2}"#, "duplicate field"),
        (r#"{"operation":"update","flag_id":1}{}"#, "trailing characters"),
    ] {
        let message = read(body);
        assert!(message.contains(part) && message.contains("400"), "{body}: {message}");
    }
}

#[test]
fn too_many_flags_stand_for_all() {
    let keys = |count: usize| {
        let keys: Vec<_> = (0..count).map(|it| format!("\"k{it}\"")).collect();
        let body = format!(r#"{{"event":"flag.updated","flag_keys":[{}]}}"#, keys.join(","));
        Notice::read(body.as_bytes()).unwrap().flags
    };
    assert_eq!(keys(1_000).len(), 1_000);
    assert_eq!(keys(1_000)[999], FlagName { id: FlagId(0), key: "k999".into() });
    assert_eq!(keys(1_001), []);
}

proptest! {
    #[test]
    fn any_bytes_are_a_notice_or_a_refusal(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _read = Notice::read(&body);
    }

    /// Near to a notice: members of both dialects with values of all kinds, cut anywhere.
    #[test]
    fn anything_like_a_notice_names_flags_or_is_refused(
        members in proptest::collection::vec(
            (
                prop::sample::select(vec!["event", "flag_keys", "operation", "flag_id", "flag_key", "timestamp", "x"]),
                prop::sample::select(vec![
                    "null", "1", "-1", "1e400", "18446744073709551616", "\"\"", "\"k\"", "\"flag.updated\"",
                    "\"\\ud800\"", "[]", "[\"k\"]", "[null]", "{}", "\"2025-01-15T10:30:00Z\"",
                ]),
            ),
            0..8,
        ),
        cut in 0usize..40,
    ) {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let body = format!("{{{}}}", members.join(","));
        let end = body.len().saturating_sub(cut.saturating_sub(20));
        match Notice::read(&body.as_bytes()[..end]) {
            Ok(notice) => prop_assert!(!notice.flags.is_empty(), "{body}"),
            Err(problem) => prop_assert_eq!(problem.status().as_u16(), 400),
        }
    }
}
