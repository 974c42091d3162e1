//! What a configuration may not say.

use super::*;

#[test]
fn nothing_may_be_zero() {
    let check = |zero: fn(&mut BreakerConfig), field: &str, expected: &str| {
        let mut config = BreakerConfig::default();
        zero(&mut config);
        let error = config.check().unwrap_err();
        assert_eq!((error.field(), error.to_string().as_str()), (field, expected));
    };
    check(
        |config| config.failure_threshold = 0,
        "failure_threshold",
        "failure_threshold: `0` would open without a failure",
    );
    check(|config| config.open_for = Duration::ZERO, "open_for", "open_for: `0s` leaves no time");
    check(
        |config| config.half_open_limit = Duration::ZERO,
        "half_open_limit",
        "half_open_limit: `0s` leaves no time",
    );
}

#[test]
fn the_defaults_are_fine() {
    let config = BreakerConfig::default();
    assert_eq!(config.check(), Ok(()));
    assert_eq!((config.failure_threshold, config.open_for.as_secs()), (3, 30));
    assert_eq!(config.half_open_limit.as_secs(), 10);
}
