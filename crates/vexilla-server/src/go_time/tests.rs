//! Times, the quick way; `conformance/exposures.jsonl` holds what Flagr says of many more.

use std::time::{Duration, SystemTime};

use super::read;

/// The milliseconds since 1970 of what can be read.
fn millis(text: &str) -> Option<i128> {
    let at = read(text).unwrap_or_else(|error| panic!("{error}"))?;
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    Some(since.map_or_else(
        |it| -i128::try_from(it.duration().as_millis()).unwrap(),
        |it| i128::try_from(it.as_millis()).unwrap(),
    ))
}

#[test]
fn a_time_means_the_same_moment_in_each_layout() {
    for text in [
        "2026-06-25T12:00:00Z",
        "2026-06-25T12:00Z",
        "2026-06-25T12:00",
        "2026-06-25T12:00:00",
        "2026-06-25 12:00:00",
        "2026-06-25T14:00:00+02:00",
        "2026-06-25T14:00:00.000+0200",
        "2026-06-25T14:00:00.000000+0200",
        "2026-06-25T07:30:00,0-04:30",
    ] {
        assert_eq!(millis(text), Some(1_782_388_800_000), "{text}");
    }
    assert_eq!(millis("2026-06-25T12:00:00.1239999999999Z"), Some(1_782_388_800_123));
    assert_eq!(millis("2026-06-25"), Some(1_782_345_600_000));
    assert_eq!(millis("1969-12-31T23:59:59Z"), Some(-1_000));
    assert_eq!(millis(""), Some(0));
}

#[test]
fn the_zero_time_is_none() {
    assert_eq!(read("0001-01-01T00:00:00Z"), Ok(None));
    assert_eq!(read("0001-01-01"), Ok(None));
    assert_eq!(read("0001-01-01T02:00:00+02:00"), Ok(None));
    let second = SystemTime::UNIX_EPOCH - Duration::from_secs(62_135_596_799);
    assert_eq!(read("0001-01-01T00:00:01Z"), Ok(Some(second)));
}

#[test]
fn what_is_none_is_refused_in_gos_words() {
    for (text, expected) in [
        (
            "yesterday",
            r#"parsing time "yesterday" as "2006-01-02": cannot parse "yesterday" as "2006""#,
        ),
        ("2026-13-01", r#"parsing time "2026-13-01": month out of range"#),
        ("2026-02-30", r#"parsing time "2026-02-30": day out of range"#),
        ("2026-06-25x", r#"parsing time "2026-06-25x": extra text: "x""#),
        ("é", r#"parsing time "\xc3\xa9" as "2006-01-02": cannot parse "\xc3\xa9" as "2006""#),
    ] {
        assert_eq!(read(text), Err(expected.to_owned()));
    }
}
