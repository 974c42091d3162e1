//! Random text of the condition language: right, nearly right, and edited.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Text that a condition is made of.
pub(super) type Text = BoxedStrategy<String>;

pub(super) fn one_of(texts: &'static [&'static str]) -> Text {
    select(texts).prop_map(str::to_owned).boxed()
}

/// Names of context members, as constraints write them.
pub(super) fn name() -> Text {
    prop_oneof![
        6 => one_of(&["a", "b", "n", "s", "l", "t"]),
        2 => one_of(&["o.x", "o.y.z", "l[0]", "l[-1]", "l[ 1 ]", "o.l[0]", "@a.x", "o.y.l[-1]", "s.x", "l[9]"]),
        1 => one_of(&[
            " a ", "a-b", "a - b", "a}{b", "a} {b", "@a", "@@a", "a-@b", "1", "1.5", "a-1", "\"a b\"", "'x'", "true", "é",
            "a/*x*/", "Ⅷ", "a}{b}{c", "`r`", "a[+0]", "o.x[0]", "_", "a1",
        ]),
        1 => one_of(&["a b", "a--b", "-a", "a.1", "1a", "a}{b.c", "a-b.c", "$a", "{a}", "a[\"b\"]", "a[0x1]", ".", "}", "a["]),
    ]
    .boxed()
}

pub(super) fn number() -> Text {
    prop_oneof![
        6 => one_of(&["0", "1", "2", "-1", "1.0000005", "0.9999995", "1.000001", "1e3", "1000", "0.1", "1e-52", "-0.0"]),
        1 => one_of(&[
            "- 5", ".5", "5.", "007", "0x10p0", "0x1.8p1", "1_000", "1e1_0", "0x_1p0", "1E+3", "1e-400", "0x.8P-1",
            "0x0p99999999999", "9007199254740993", "0_1", "1e15",
        ]),
        1 => one_of(&["0x10", "0b11", "1e", "1p3", "1__0", "1_", "1e_1", "1e400", "+5", "--5", "1.2.3", "0o17", "NaN"]),
        1 => "-?[0-9]{1,3}(\\.[0-9]{1,7})?(e[+-]?[0-9]{1,2})?",
    ]
    .boxed()
}

pub(super) fn string() -> Text {
    prop_oneof![
        6 => one_of(&["\"a\"", "\"b\"", "\"US\"", "\"\"", "\"a b\"", "\"é\"", "\"1\""]),
        2 => one_of(&[
            "\"a\\\"b\"", "\"a\\\\b\"", "\"\\d\"", "\"a\\d\\\\\"", "\"\\u00e9\"", "\"\\x41\\102\"", "\"\\xff\"", "\"it's\"",
            "\"\\ud800\"", "\"\\U0001F600\"", "\"a//b\"", "\"a/*b\"", "\"\\400\"", "\"\\t\"", "\"]\"", "\"a\tb\"",
        ]),
        1 => one_of(&["'a'", "`a`", "\"a", "\"a\nb\"", "'", "\"\\"]),
        1 => "\"[ -~é]{0,8}\"",
    ]
    .boxed()
}

pub(super) fn pattern() -> Text {
    let inner = prop_oneof![
        4 => one_of(&["a", "^a$", "^.*b", "\\d+", "[a-c]", "\\bUS", "(?i)us", "a|b", "\\s", "\\w\\W", "é", "x{2}", "."]),
        1 => one_of(&["(", "*a", "a**", "\\", "[", "a/b", "//", "/*", "it's", "`", "a b", "[ ]", "\\/", "\\Qa.b\\E", "\"", "x{,2}"]),
        1 => "[ab.*+?()\\[\\]\\\\|^$ ]{0,6}",
    ];
    (inner, select(&["\"", "/", "(\""][..]))
        .prop_map(|(inner, quote)| match quote {
            "(\"" => format!("(\"{inner}\")"),
            quote => format!("{quote}{inner}{quote}"),
        })
        .boxed()
}

fn array() -> Text {
    let items =
        |item: Text| prop::collection::vec(item, 0..4).prop_map(|it| format!("[{}]", it.join(",")));
    prop_oneof![
        3 => items(number()),
        3 => items(string()),
        1 => items(prop_oneof![number(), string()].boxed()),
        1 => one_of(&["[1 2]", "[1 , - 2]", "[[1]]", "[true]", "[null]", "[1,]", "[01]", "[\"a\",\"\\ud800\"]", "[\"\\/\"]", "[1"]),
    ]
    .boxed()
}

pub(super) fn literal() -> Text {
    prop_oneof![
        4 => number(),
        4 => string(),
        2 => array(),
        2 => pattern(),
        1 => one_of(&["true", "FALSE", "TrUe", "FALſE", "null", "abc"]),
        2 => name().prop_map(|it| format!("{{{it}}}")),
    ]
    .boxed()
}

const COMPARISONS: &[&str] = &[
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "=~",
    "!~",
    "IN",
    "NOT IN",
    "CONTAINS",
    "NOT CONTAINS",
    "> =",
    "not /**/ in",
    "ın",
    "=",
    "NOT",
];

fn condition() -> Text {
    let comparison = (literal(), select(COMPARISONS), literal())
        .prop_map(|(left, op, right)| format!("{left} {op} {right}"));
    comparison
        .boxed()
        .prop_recursive(3, 8, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|it| format!("({it})")),
                (inner.clone(), select(&["AND", "OR", "XOR", "NAND", "and"][..]), inner.clone())
                    .prop_map(|(left, op, right)| format!("{left} {op} {right}")),
                (inner, literal()).prop_map(|(left, rest)| format!("({left} {rest})")),
            ]
        })
        .boxed()
}

/// What follows a literal within a value: nothing, most of the time.
pub(super) fn tail() -> Text {
    prop_oneof![
        24 => Just(String::new()),
        2 => (select(&["AND", "OR", "XOR", "NAND"][..]), condition()).prop_map(|(op, rest)| format!(" {op} {rest}")),
        2 => (select(&["AND", "OR", "XOR", "NAND"][..]), condition()).prop_map(|(op, rest)| format!(") {op} ({rest}")),
        1 => literal().prop_map(|it| format!(" {it}")),
        1 => literal().prop_map(|it| format!(") {it}")),
        1 => one_of(&[") //", " /*", " // x", ")", "(", " /* x */", "\u{a0}", " -", ") -", " AND"]),
    ]
    .boxed()
}

/// Edits to a text: where, how many characters go, and what comes in their place.
pub(super) fn edits() -> impl Strategy<Value = Vec<(Index, usize, &'static str)>> {
    let piece = select(
        &[
            "", " ", "(", ")", "{", "}", "[", "]", "\"", "'", "`", "/", "*", "\\", "-", ".", "@",
            "1", "a", "=", "!", "~", "\n", "é", "_", ",", "//", "AND", "\u{b}", "\u{301}", "0x",
        ][..],
    );
    let edit = (any::<Index>(), 0_usize..3, piece);
    prop_oneof![5 => Just(Vec::new()), 1 => prop::collection::vec(edit, 1..4)]
}

pub(super) fn edit(text: &str, edits: &[(Index, usize, &str)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, gone, new) in edits {
        let at = at.index(chars.len() + 1);
        let end = (at + gone).min(chars.len());
        chars.splice(at..end, new.chars());
    }
    chars.into_iter().collect()
}
