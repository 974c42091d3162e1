//! Lines of suites, and what they tell.

use super::{Outcome, read};

#[test]
fn lines() {
    assert_eq!(read("ok single evaluation"), Some((Outcome::Ok, "single evaluation")));
    assert_eq!(read("FAILED debug: 1 is not 2"), Some((Outcome::Failed, "debug: 1 is not 2")));
    assert_eq!(read("skipped tags: none"), Some((Outcome::Skipped, "tags: none")));
    for other in ["", "ok", "okay then", "node:internal FAILED x", "  at check (report.mjs:3)"] {
        assert_eq!(read(other), None, "{other}");
    }
}
