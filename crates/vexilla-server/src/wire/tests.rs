//! What the recordings do not hold.

use std::time::{Duration, SystemTime};

use super::{Timestamp, write_decimal};

#[test]
fn numbers_are_decimal() {
    for value in [0, 7, 10, 109, 12_345, u64::MAX] {
        let mut out = b"x".to_vec();
        write_decimal(&mut out, value);
        assert_eq!(out, format!("x{value}").into_bytes());
    }
}

#[test]
fn times_are_utc_in_whole_seconds() {
    for (millis, expected) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399_999, "2000-02-28T23:59:59Z"),
        (951_868_800_000, "2000-03-01T00:00:00Z"),
        (1_795_392_565_123, "2026-11-23T00:09:25Z"),
    ] {
        assert_eq!(
            Timestamp::at(SystemTime::UNIX_EPOCH + Duration::from_millis(millis)).0,
            expected.as_bytes()
        );
    }
    let before = SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1)).unwrap();
    assert_eq!(
        Timestamp::at(before).0,
        b"1970-01-01T00:00:00Z",
        "a clock that is badly off is no reason to fail"
    );
}
