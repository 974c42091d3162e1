//! Pauses between attempts.

use reqwest::header::HeaderValue;

use super::*;

const RETRIES: Retries = Retries {
    times: 3,
    base: Duration::from_millis(100),
    longest: Duration::from_millis(250),
    longest_asked: Duration::from_secs(10),
};

#[test]
fn pauses_are_random_below_a_limit_that_doubles_up_to_a_cap() {
    let check = |sent, limit_ms| {
        let pauses: Vec<_> = (0..200).map(|_| RETRIES.pause_after(sent, None).unwrap()).collect();
        let limit = Duration::from_millis(limit_ms);
        assert!(pauses.iter().all(|it| *it <= limit), "{sent}: {pauses:?}");
        assert!(pauses.iter().any(|it| *it < limit / 2), "{sent}: {pauses:?}");
        assert!(pauses.iter().any(|it| limit / 2 < *it), "{sent}: {pauses:?}");
    };
    check(1, 100);
    check(2, 200);
    check(3, 250);
    assert_eq!(RETRIES.pause_after(4, None), None);
    assert_eq!(Retries::none().pause_after(1, None), None);
    let endless = Retries { times: u32::MAX, ..RETRIES };
    assert!(endless.pause_after(u32::MAX, None).unwrap() <= endless.longest);
    let huge = Retries { base: Duration::MAX, longest: Duration::MAX, ..RETRIES };
    assert!(huge.pause_after(2, Some(Duration::from_secs(1))).is_some());
}

#[test]
fn a_pause_that_is_asked_for_is_kept_unless_it_is_too_long() {
    let pause = RETRIES.pause_after(1, Some(Duration::from_secs(10))).unwrap();
    assert!((Duration::from_secs(10)..=Duration::from_millis(10_100)).contains(&pause));
    assert_eq!(RETRIES.pause_after(1, Some(Duration::from_secs(11))), None);
}

#[test]
fn seconds_and_dates() {
    let check = |retry_after: &str, date: Option<&'static str>, expected: Option<u64>| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        assert_eq!(
            asked_pause(&headers),
            expected.map(Duration::from_secs),
            "{retry_after}, {date:?}"
        );
    };
    let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
    check("0", None, Some(0));
    check("120", now, Some(120));
    check(" 7 ", None, Some(7));
    check("99999999999999999999999", None, Some(u64::MAX));
    check("Sun, 06 Nov 1994 08:50:00 GMT", now, Some(23));
    check("Sun, 06 Nov 1994 08:49:00 GMT", now, Some(0));
    check("Sun, 06 Nov 1994 08:50:00 GMT", None, None);
    check("Sun, 06 Nov 1994 08:50:00 GMT", Some("yesterday"), None);
    check("-1", now, None);
    check("1.5", now, None);
    check("soon", now, None);
    check("", now, None);
    assert_eq!(asked_pause(&HeaderMap::new()), None);
}
