//! What people get to read: error messages and printed conditions.

use super::super::{ConditionErrorKind, constraint_text, parse};

#[test]
fn messages() {
    let check = |property, value, expected: &str| {
        let error = constraint_text(property, "EQ", value).and_then(|it| parse(&it)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{property}, {value}");
    };
    check("", "1", "the property is empty");
    check("p", " ", "the value is empty");
    check("p", "abc", "expected a value, found `abc`: a text needs double quotes (column 9)");
    check("p", "'abc'", "expected a value, found `'abc'`: a text needs double quotes (column 9)");
    check("p", "=5", "expected a value, found `=` (column 9)");
    check(
        "p",
        "1 2",
        "expected an operator or the end, found `2`: a text or a pattern needs double quotes (column 11)",
    );
    check(
        "p",
        "1\n#",
        "expected an operator or the end, found `#`: a text or a pattern needs double quotes (line 2, column 1)",
    );
    check(
        "p",
        "\"é\" x",
        "expected an operator or the end, found `x`: a text or a pattern needs double quotes (column 13)",
    );
    check(
        "p",
        "\"a",
        "the condition ends too early: a quote, a bracket, a brace or a comment before it is not closed (column 12)",
    );
    check(
        "p",
        "[1",
        "the condition ends too early: a quote, a bracket, a brace or a comment before it is not closed (column 12)",
    );
    check(
        "p",
        "[1, true]",
        "an array holds texts only or numbers only, and `true` does not go with `1` (column 9)",
    );
    check("p", "[true]", "an array holds texts or numbers, not `true` (column 9)");
    check("p", "[]", "an array needs at least one element (column 9)");
    check("p", "[a]", "`[a]` is not a JSON array (column 9)");
    check("p", "0x10", "`0x10` is not a number that Flagr reads (column 9)");
    check("p", "1e400", "the number `1e400` is too large (column 9)");
    check(
        "a b",
        "1",
        "unexpected `b` in a property: letters, digits, `_`, `-`, or a path such as `a.b[0]` may stand here (column 5)",
    );
    check(
        "a.1",
        "1",
        "unexpected `1` in a property: letters, digits, `_`, `-`, or a path such as `a.b[0]` may stand here (column 5)",
    );
    check("a[b]", "1", "an index must be a whole number (column 4)");

    let unknown = constraint_text("p", "eq", "1").unwrap_err();
    assert_eq!(unknown.to_string(), "unknown operator `eq`");
    assert_eq!((unknown.kind(), unknown.position()), (ConditionErrorKind::UnknownOperator, None));
    let position = parse("(1 == 2\n AND é").unwrap_err().position().unwrap();
    assert_eq!((position.offset, position.line, position.column), (13, 2, 6));
}

#[test]
fn printed_like_the_debug_log() {
    let check = |text: &str, printed: &str| assert_eq!(parse(text).unwrap().to_string(), printed);
    check("({country}==\"US\")", "(country == \"US\")");
    check("({a1} == 5) and ({b} nand 0.0625)", "(\"a1\" == 5.000) AND (b NAND 0.062)");
    check("{app-version} =~ /(?i)premium/", "\"app-version\" =~ \"(?i)premium\"");
    check("{a}{b} in [\"x y\", \"z\"]", "a.b IN [x y z]");
    check(
        "{a1.b2[-1]} not in [1, 1e5, 1e6, 0.00001, -1.5e300, 123456.5]",
        "a1.b2[-1] NOT IN [1 100000 1e+06 1e-05 -1.5e+300 123456.5]",
    );
    check(r#"{"a"} == "\"\\\n\t""#, "\"\\\"a\\\"\" == \"\\\"\\\\\\n\t\"");
    check("true == (FALSE) or -0.0", "true == (false) OR -0.000");
}
