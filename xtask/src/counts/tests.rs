//! Lines of a test runner, and the sum.

use super::Counts;

fn check(lines: &[&str], expected: &str) {
    let mut counts = Counts::default();
    for line in lines {
        counts.read(line);
    }
    assert_eq!(counts.to_string(), expected, "{lines:?}");
}

#[test]
fn sums_closing_lines() {
    let ok = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
    let bad = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s";
    check(&[], "0 passed, 0 failed");
    check(&[ok], "12 passed, 0 failed");
    check(&[ok, "running 5 tests", bad, ok], "27 passed, 2 failed");
    check(
        &[
            "test a ... ok",
            "result: ok. 1 passed; 0 failed",
            "test result: ",
            "test result: ok. x passed;",
        ],
        "0 passed, 0 failed",
    );
}
