//! Pairs that count as the same, and pairs that do not.

use super::{same, with_times_of};

#[test]
fn what_chance_decides_is_the_same() {
    let check = |one, other, request| assert!(same(one, other, request), "{one} {other}");
    check(
        "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"a\":1}",
        "{\"timestamp\":\"now\",\"a\":1}",
        "",
    );
    check(
        "[{\"UpdatedAt\":\"a\"},{\"UpdatedAt\":\"b\"}]",
        "[{\"UpdatedAt\":\"\"},{\"UpdatedAt\":\"c\"}]",
        "",
    );
    check("{\"e\":\"randomly_generated_12\"}", "{\"e\":\"randomly_generated_3\"}", "");
    check("m PUT, but [GET,POST] are", "m PUT, but [POST,GET] are", "");
    check("{\"Flags\":[{\"ID\":1},{\"ID\":2}]}\n", "{\"Flags\":[{\"ID\":2},{\"ID\":1}]}\n", "");
    let (one, other) = ("{\"evaluationResults\":[1,2]}\n", "{\"evaluationResults\":[2,1]}\n");
    check(one, other, "{\"flagTags\":[\"a\"]}");
    assert!(!same(one, other, "{\"flagIDs\":[1,2]}"));
}

#[test]
fn everything_else_is_not() {
    let check = |one, other| assert!(!same(one, other, ""), "{one} {other}");
    check("{\"timestamp\":\"a\",\"b\":1}", "{\"timestamp\":\"a\",\"b\":2}");
    check("{\"timestamp\":\"a\"}", "{}");
    check("randomly_generated_1a", "randomly_generated_1b");
    check("but [GET] are", "but [GET,POST] are");
    check("{\"Flags\":[{\"ID\":1}]}", "{\"Flags\":[{\"ID\":1},{\"ID\":1}]}");
    check("a", "a\n");
}

#[test]
fn times_that_were_written_down_stay() {
    let check = |old, new, expected| assert_eq!(with_times_of(old, new), expected);
    check(
        "[{\"timestamp\":\"a\"},{\"timestamp\":\"b\"}]",
        "[{\"timestamp\":\"c\",\"x\":1},{\"timestamp\":\"d\"}]\n",
        "[{\"timestamp\":\"a\",\"x\":1},{\"timestamp\":\"b\"}]\n",
    );
    check("{}", "{\"timestamp\":\"c\"}", "{\"timestamp\":\"c\"}");
    check("{\"timestamp\":\"c\"}", "no", "no");
}
