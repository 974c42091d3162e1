//! The places of reasons.

use super::{REASONS, place};

#[test]
fn each_reason_has_its_place() {
    for (at, reason) in REASONS.iter().enumerate() {
        assert_eq!(place(*reason), at);
    }
}
