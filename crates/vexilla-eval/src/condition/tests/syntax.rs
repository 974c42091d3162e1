//! Tokens, operators, properties, the tree, and what ends a condition.

use std::collections::HashSet;

use regex_syntax::hir::{Class, HirKind};

use super::super::parse::next_token;
use super::{REJECTED, check, check_properties, check_trees, check_values, tree};

#[test]
fn tokens() {
    check_values(&[
        ("\t\n\r 5 ", "5"),
        ("\u{b}5", "5"),
        ("\u{b}(5)", "(5)"),
        ("1\u{b}", "1"),
        ("1\u{b}+", REJECTED),
        ("1\u{c}) AND (1", REJECTED),
        ("1\u{a0}) AND (1", REJECTED),
        ("\u{feff}1", REJECTED),
        ("5 // c", REJECTED),
        ("5 // c\n", REJECTED),
        ("5 // c\n) // d", "5"),
        ("// c\n 5", "5"),
        ("5 /* c */", "5"),
        ("5 /* c", REJECTED),
        ("5) /* c", "5"),
        ("/*/ 5 /*/ 6", "6"),
        ("/**/5/***/", "5"),
        ("\"abc\"", "\"abc\""),
        ("\"abc", REJECTED),
        ("\"a\nb\"", REJECTED),
        ("\"a\n", REJECTED),
        ("\"a\\\n5", REJECTED),
        ("'abc'", REJECTED),
        ("`abc`", REJECTED),
        ("#", REJECTED),
        ("1 #", REJECTED),
        ("1) #", REJECTED),
        ("1) ) #", "1"),
        ("abc", REJECTED),
        ("null", REJECTED),
        ("nil", REJECTED),
        ("NaN", REJECTED),
        ("Inf", REJECTED),
        ("a,b", REJECTED),
    ]);
}

#[test]
fn letters_and_digits_are_those_of_unicode_15() {
    let of = |class: &str| -> HashSet<char> {
        match regex_syntax::parse(class).unwrap().into_kind() {
            HirKind::Class(Class::Unicode(it)) => {
                it.iter().flat_map(|it| it.start()..=it.end()).collect()
            }
            other => panic!("{class}: {other:?}"),
        }
    };
    let letters = of(r"[\p{L}&&\p{age=15.0}]");
    let digits = of(r"[\p{Nd}&&\p{age=15.0}]");
    assert_eq!((letters.len(), digits.len()), (136_104, 680), "Go counts as many");
    for it in '\u{80}'..=char::MAX {
        let begins = next_token(&format!("{it}a")).chars().count() == 2;
        let goes_on = next_token(&format!("a{it}")).chars().count() == 2;
        let is_letter = letters.contains(&it);
        assert_eq!(begins, is_letter, "{it:?}");
        assert_eq!(goes_on, is_letter || digits.contains(&it), "{it:?}");
    }
    check(&[
        ("\u{3F200}", "EQ", "5", "<{\u{3F200}} == 5>"),
        ("\u{3F200}a", "EQ", "5", REJECTED),
        ("a\u{1CCF0}", "EQ", "5", REJECTED),
        ("a\u{660}", "EQ", "5", "<{a\u{660}} == 5>"),
    ]);
}

#[test]
fn operators_and_words() {
    check(&[
        ("p", "GT", "= 5", "<{p} >= 5>"),
        ("p", "LT", "/**/= 5", "<{p} <= 5>"),
        ("p", "EQ", "= 5", REJECTED),
        ("p", "LT", "> 5", REJECTED),
        ("p", "GT", "== 5", REJECTED),
        ("p", "EQ", "1 = 2", REJECTED),
        ("p", "EQ", "1 ! 2", REJECTED),
        ("p", "EQ", "1 = = 2", "<{p} == <1 == 2>>"),
        ("p", "EQ", "1 !\n~ 2", "<{p} == <1 !~ 2>>"),
        ("p", "EQ", "1 ! = 2", "<{p} == <1 != 2>>"),
        ("p", "EQ", "1 = ~ 2", "<{p} == <1 =~ 2>>"),
        ("p", "EQ", "TrUe", "<{p} == true>"),
        ("p", "EQ", "FALſE", "<{p} == false>"),
        ("p", "EQ", "trues", REJECTED),
        ("p", "EQ", "true1", REJECTED),
        ("p", "EQ", "true_", REJECTED),
        ("p", "EQ", "trueé", REJECTED),
        ("p", "EQ", "1 AND{q}", "<{p} == 1 AND {q}>"),
        ("p", "EQ", "1 ANDé {q}", REJECTED),
        ("p", "EQ", "1 and 2 oR 3", "<{p} == 1 AND 2 OR 3>"),
        ("p", "EQ", "1 xor 2", "<{p} == 1 XOR 2>"),
        ("p", "EQ", "1 nand 2", "<{p} == 1 NAND 2>"),
        ("p", "EQ", "1 ın 2", "<{p} == <1 IN 2>>"),
        ("p", "EQ", "1 not /**/ ın 2", "<{p} == <1 NOT IN 2>>"),
        ("p", "EQ", "1 notin 2", REJECTED),
        ("p", "EQ", "1 NOT 2", REJECTED),
        ("p", "EQ", "NOT true", REJECTED),
        ("p", "EQ", "1) NOT", REJECTED),
        ("p", "EQ", "1 contaınſ 2", "<{p} == <1 CONTAINS 2>>"),
        ("p", "EQ", "1 not contains 2", "<{p} == <1 NOT CONTAINS 2>>"),
        ("p", "NOTIN", "[1]", "<{p} NOT IN [1]>"),
        ("p", "NOTCONTAINS", "5", "<{p} NOT CONTAINS 5>"),
        ("p", "CONTAINS", "5", "<{p} CONTAINS 5>"),
        ("p", "NEQ", "5", "<{p} != 5>"),
        ("p", "LTE", "\"5\"", "<{p} <= \"5\">"),
    ]);
}

#[test]
fn operators_of_constraints() {
    check(&[
        ("p", "EREG", "5", "<{p} =~ 5>"),
        ("p", "MATCHES", "\"a b\"", REJECTED),
        ("p", "eq", "5", REJECTED),
        ("p", "LE", "5", REJECTED),
        ("p", "==", "5", REJECTED),
        ("p", "", "5", REJECTED),
        ("", "EQ", "5", REJECTED),
        (" ", "EQ", "5", REJECTED),
        ("p", "EQ", "", REJECTED),
        ("p", "EQ", " \u{a0}\n", REJECTED),
        ("p", "EQ", "\u{a0}\u{2003}\u{85}\"x\"\u{a0}", "<{p} == \"x\">"),
    ]);
}

#[test]
fn patterns_and_arrays_lose_white_space() {
    check(&[
        ("p", "EREG", r#""^a b$""#, r#"<{p} =~ "^ab$">"#),
        ("p", "NEREG", r#""a b""#, r#"<{p} !~ "ab">"#),
        ("p", "EREG", r#""a\ b""#, r#"<{p} =~ "a\\b">"#),
        ("p", "EREG", r#""[ab ]""#, r#"<{p} =~ "[ab]">"#),
        ("p", "EREG", r#""[ ]""#, r#"<{p} =~ "[]">"#),
        ("p", "EREG", r#""a\sb""#, r#"<{p} =~ "a\\sb">"#),
        ("p", "EREG", r#""'a b'  c""#, r#"<{p} =~ "'a b'c">"#),
        ("p", "EREG", r#""`a b`c d""#, r#"<{p} =~ "`a b`cd">"#),
        ("p", "EREG", r#""it's""#, REJECTED),
        ("p", "EREG", r#""a`b""#, REJECTED),
        ("p", "EREG", r#""a\"b""#, REJECTED),
        ("p", "EREG", r#""a\"b c\"d e\"""#, REJECTED),
        ("p", "EREG", r#""""#, REJECTED),
        ("p", "EREG", r#""*a""#, REJECTED),
        ("p", "EREG", r#"""#, REJECTED),
        ("p", "EREG", r#""a/b c""#, r#"<{p} =~ "a/b c">"#),
        ("p", "EREG", "/a b/", r#"<{p} =~ "ab">"#),
        ("p", "EREG", r"/a\/b/", REJECTED),
        ("p", "EREG", "//", REJECTED),
        ("p", "EREG", "/a /*x*/ b/", r#"<{p} =~ "ab">"#),
        ("p", "EREG", "^a", REJECTED),
        ("p", "EREG", r#"("a b")"#, r#"<{p} =~ ("a b")>"#),
        ("p", "EREG", "\"a\nb\"", r#"<{p} =~ "ab">"#),
        ("p", "EREG", "\"a\u{a0}b\"", "<{p} =~ \"a\\u{a0}b\">"),
        ("p", "EREG", "\" OR {q} == \"", r#"<{p} =~ "OR{q}==">"#),
        ("p", "EREG", r#""(((""#, r#"<{p} =~ "(((">"#),
        ("p", "EQ", "/a b c/", r#"<{p} == "abc">"#),
        ("p", "EQ", "/abc", REJECTED),
        ("p", "IN", "[1 2]", "<{p} IN [12]>"),
        ("p", "IN", "[1 , - 2]", "<{p} IN [1,-2]>"),
        ("p", "IN", "[1, /* x */ 2]", "<{p} IN [1,2]>"),
        ("p", "IN", r#"["a b", "c]d"]"#, r#"<{p} IN ["a b","c]d"]>"#),
    ]);
}

#[test]
fn properties() {
    check_properties(&[
        ("a", "{a}"),
        (" a ", "{a}"),
        ("a-b", "{a-b}"),
        ("a - b", "{a-b}"),
        ("a-b-c", "{a-b-c}"),
        ("a-1", "{a-1}"),
        ("a-1.5", "{a-1.5}"),
        ("1", "{1}"),
        ("1.5", "{1.5}"),
        ("@a", "{@a}"),
        ("@@a", "{@@a}"),
        ("@ts_hour", "{@ts_hour}"),
        ("@a-b", "{@a-b}"),
        ("a-@b", "{a-@-b}"),
        ("a}{@b", "{a.@.b}"),
        ("a}{b", "{a.b}"),
        ("a} {b", "{a.b}"),
        ("a}{b}{c", "{a.b.c}"),
        ("a-b}{c-d", "{a-b.c-d}"),
        ("\"a b\"", "{\"a b\"}"),
        ("'x'", "{'x'}"),
        ("città", "{città}"),
        ("日本", "{日本}"),
        ("a\u{663}", "{a\u{663}}"),
        ("\u{2167}", "{\u{2167}}"),
        ("a/*b*/", "{a}"),
        ("true", "{true}"),
        ("AND", "{AND}"),
        ("{", "{{}"),
        ("}", "{}}"),
        ("$", "{$}"),
        ("a.b", "{a|b}"),
        ("a . b", "{a|b}"),
        ("@a.b", "{@a|b}"),
        ("a.b.c", "{a|b|c}"),
        ("a[1]", "{a|1}"),
        ("a[-1]", "{a|-1}"),
        ("a[+1]", "{a|1}"),
        ("a[ 0 ]", "{a|0}"),
        ("a[01]", "{a|1}"),
        ("a[1 2]", "{a|12}"),
        ("a[0].b", "{a|0|b}"),
        ("a.b[0][1].c", "{a|b|0|1|c}"),
        ("\"a b\".c", "{\"a b\"|c}"),
        ("a.true", "{a|true}"),
        ("a b", REJECTED),
        ("a:b", REJECTED),
        ("a/b", REJECTED),
        ("a,b", REJECTED),
        ("$a", REJECTED),
        ("{a}", REJECTED),
        ("a--b", REJECTED),
        ("-a", REJECTED),
        ("a-", REJECTED),
        ("a-1b", REJECTED),
        ("1a", REJECTED),
        ("a@b", REJECTED),
        ("@", REJECTED),
        ("e\u{301}", REJECTED),
        ("\u{663}a", REJECTED),
        ("a//b", REJECTED),
        ("a}{b.c", REJECTED),
        ("a.b}{c", REJECTED),
        ("a-b.c", REJECTED),
        ("a-b[0]", REJECTED),
        ("a.1", REJECTED),
        ("a. 1", REJECTED),
        ("a.1b", REJECTED),
        ("a.b-c", REJECTED),
        ("a.\"b\"", REJECTED),
        ("a[\"b\"]", REJECTED),
        ("a[]", REJECTED),
        ("a[b]", REJECTED),
        ("a[0x1]", REJECTED),
        ("a[1_0]", REJECTED),
        ("a[1.0]", REJECTED),
        ("a[9999999999999999999]", REJECTED),
        ("a[0", REJECTED),
    ]);
}

#[test]
fn trees() {
    check_trees(&[
        ("{a} == 1 AND {b} == 2", "<{a} == 1 AND <{b} == 2>>"),
        ("{a} == 1 AND {b} == 2 AND {c} == 3", "<{a} == 1 AND <{b} == 2 AND {c} == 3>>"),
        ("{a} == 1 OR {b} == 2 OR {c} == 3", "<{a} == 1 OR <{b} == 2 OR {c} == 3>>"),
        ("{a} == 1 OR {b} == 2 AND {c} == 3", "<{a} == 1 OR <{b} == 2 AND {c} == 3>>"),
        ("{a} == 1 AND {b} == 2 OR {c} == 3", "<{a} == 1 AND <{b} == 2> OR <{c} == 3>>"),
        ("{p} == 1 NOT IN [2]", "<{p} == <1 NOT IN [2]>>"),
        ("1 == 2 == 3 == 4", "<1 == <2 == 3 == 4>>"),
        ("1 == 2 OR 3 AND 4 == 5 XOR 6", "<1 == 2 OR <3 AND 4 == 5 XOR 6>>"),
        ("1 == 2 AND 3 OR 4 AND 5", "<1 == 2 AND 3 OR <4 AND 5>>"),
        ("({a}) OR ({z}) AND ({b})", "<({a}) OR <({z}) AND ({b})>>"),
        ("({a}) AND ({b}) AND ({c}) AND ({d})", "<({a}) AND ({b}) AND ({c}) AND ({d})>"),
        ("({a}) OR ({b}) OR ({c})", "<({a}) OR ({b}) OR ({c})>"),
        ("({a}) XOR ({b}) XOR ({c})", "<({a}) XOR <({b}) XOR ({c})>>"),
        ("(({a}))", "(({a}))"),
        ("5", "5"),
        // A string that is never closed loses its last byte, whatever it is.
        ("1 == \"a\n AND 2", "<1 == \"a\" AND 2>"),
        ("1 == \"a)", "<1 == \"a\">"),
        ("1 == \"a\\\"", "<1 == \"a\\\\\">"),
        ("1 == \"é", "<1 == \"\\xc3\">"),
        ("1 == \"", REJECTED),
        ("{a}", "{a}"),
        ("", REJECTED),
    ]);
}

#[test]
fn what_ends_a_condition() {
    check_values(&[
        ("1 {q}", "1"),
        ("1 {q} {r}", "1"),
        ("1 {q} 2", REJECTED),
        ("1 {q}{r.s}", REJECTED),
        ("1 {q.r}", REJECTED),
        ("1 [2]", REJECTED),
        ("1 \"x\"", REJECTED),
        ("1 true", REJECTED),
        ("1 (2)", REJECTED),
        ("1 , 2", REJECTED),
        ("1 -5", REJECTED),
        ("1) 5", "1"),
        ("1) 5 ((((", "1"),
        ("1) -5", "1"),
        ("1) - x", REJECTED),
        ("1) (", "1"),
        ("1) )", "1"),
        ("1) true", "1"),
        ("1) //", "1"),
        ("1) xyz", REJECTED),
        ("1) 'x'", REJECTED),
        ("1) 1e400", "1"),
        ("1) [true]", "1"),
        ("1) [1", REJECTED),
        ("1) /[/", "1"),
        ("1) /x", REJECTED),
        ("1) {b}", "1"),
        ("1) {b.c}", "1"),
        ("1) {b[1]}", "1"),
        ("1) {b[x]}", REJECTED),
        ("1) {a}{", REJECTED),
        ("1) {a", REJECTED),
        ("1) ==", REJECTED),
    ]);
    // What a second constraint turns into when the first one is written like this.
    let both = |first: &str| tree(&[("a", "EQ", first), ("b", "EQ", "2")]);
    assert_eq!(both("1"), "<(<{a} == 1>) AND (<{b} == 2>)>");
    assert_eq!(both("1) 5"), "(<{a} == 1>)");
    assert_eq!(both("1) //"), "(<{a} == 1>)");
    assert_eq!(both("1 {q}"), "<(<{a} == 1>) AND (<{b} == 2>)>");
    assert_eq!(both("1) OR ({z} == 9"), "<(<{a} == 1>) OR <(<{z} == 9>) AND (<{b} == 2>)>>");
}
