//! Tests of the translation: what Go accepts, what it says otherwise, and what matches. Go's answers were recorded.

use proptest::prelude::*;

use super::{
    charset::CharSet,
    compile,
    error::{Limit, PatternError},
};

/// Pattern, texts that match, texts that do not.
type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn check(cases: &[Case<'_>]) {
    for &(pattern, matching, others) in cases {
        let regex =
            compile(pattern.as_bytes()).unwrap_or_else(|error| panic!("{pattern:?}: {error}"));
        for text in matching {
            assert!(regex.is_match(text), "{pattern:?} must match {text:?}: {regex}");
        }
        for text in others {
            assert!(!regex.is_match(text), "{pattern:?} must not match {text:?}: {regex}");
        }
    }
}

/// Pattern and Go's complaint.
fn check_rejected(cases: &[(&str, &str)]) {
    for &(pattern, complaint) in cases {
        match compile(pattern.as_bytes()) {
            Ok(regex) => panic!("{pattern:?} must be rejected, became {regex}"),
            Err(error) => assert_eq!(error.to_string(), complaint, "for {pattern:?}"),
        }
    }
}

fn check_limit(pattern: &str, limit: Limit) {
    assert_eq!(compile(pattern.as_bytes()).err(), Some(PatternError::Limit(limit)));
}

#[test]
fn perl_classes_and_word_edges_are_ascii() {
    check(&[
        (r"\d", &["3"], &["\u{663}"]),
        (r"\D", &["\u{663}"], &["3"]),
        (r"\w", &["a", "_"], &["é", "日"]),
        (r"\W", &["é", "日"], &["a"]),
        (r"^\w+$", &["naive"], &["naïve"]),
        (r"\s", &["\t", "\n", "\u{c}", "\r", " "], &["\u{b}", "\u{a0}", "\u{2003}"]),
        ("[[:space:]]", &["\u{b}", " "], &["\u{a0}"]),
        (r"^[^\s]+$", &["a\u{a0}b"], &["a b"]),
        (r"\bé", &["aé"], &["é"]),
        (r"\bfoo\b", &["éfoo", "a foo"], &["afoo"]),
        (r"foo\B", &["foox"], &["fooé", "foo"]),
        (r"[^\w\s]", &["é", "-"], &["a", " "]),
        (r"\b{start}a", &["a{start}a"], &["a"]),
    ]);
}

#[test]
fn a_place_without_a_word_edge_is_never_inside_of_a_character() {
    check(&[
        (r"\B|.I", &["kƛI"], &[]),
        (r"aé|\B", &["aéa"], &[]),
        (r"^a\B", &["aa"], &["aé", "a"]),
        (r"\B", &["", "é", "aa", " "], &["a", "aéa"]),
        (r"\B{2,3}\B*", &["é", "aé"], &[]),
    ]);
}

#[test]
fn case_folding_is_unicode_15() {
    check(&[
        (r"(?i)\w", &["\u{17f}", "\u{212a}"], &["é"]),
        ("(?i)[a-z]", &["\u{17f}", "\u{212a}"], &["é"]),
        ("(?i)k", &["k", "K", "\u{212a}"], &["\u{17f}"]),
        ("(?i)\u{212a}", &["k", "K"], &[]),
        (r"(?i)\W", &["é"], &["k", "\u{212a}", "\u{17f}"]),
        ("(?i)[^x]", &["y"], &["x", "X"]),
        ("(?i)É[α-γ]", &["éΒ"], &["eΒ"]),
        ("(?i)[[:^lower:]]", &["1"], &["a", "A", "\u{17f}"]),
        (r"(?i)\p{Lu}", &["a", "A"], &["1"]),
        (r"(?i)\P{Lu}", &["1"], &["a", "A"]),
        (r"(?i)\p{LC}", &["a"], &["\u{345}"]),
        (r"(?i)\p{L}", &["\u{345}"], &[]),
        // Pairs that Unicode added later.
        ("(?i)\u{19b}", &["\u{19b}"], &["\u{a7dc}"]),
        ("(?i)\u{fb05}", &["\u{fb05}"], &["\u{fb06}"]),
        ("(?i)\u{10d50}", &["\u{10d50}"], &["\u{10d70}"]),
    ]);
}

#[test]
fn folding_covers_exactly_gos_characters() {
    // Whatever folds has a lower or an upper case; only such characters are worth the look.
    let cased = ('\0'..=char::MAX)
        .filter(|text| text.to_lowercase().ne([*text]) || text.to_uppercase().ne([*text]));
    let folded = cased
        .map(|text| CharSet::single(u32::from(text)))
        .filter(|set| *set != set.clone().folded());
    assert_eq!(folded.count(), 2878);
}

#[test]
fn escapes() {
    check(&[
        (r"^\Qa.b\E$", &["a.b"], &["axb"]),
        (r"^\Qa\Eb+$", &["abb"], &["ab+"]),
        (r"^\Qa.b", &["a.b"], &["axb"]),
        (r"^a\Q\E*$", &["", "aa"], &["b"]),
        (r"^\Qab\E*$", &["a", "abb"], &["abab"]),
        (r"^\01$", &["\u{1}"], &["1"]),
        (r"^\012$", &["\n"], &[]),
        (r"^\123$", &["S"], &[]),
        (r"^\0$", &["\0"], &["0"]),
        (r"^[\0]$", &["\0"], &["0"]),
        (r"^\08$", &["\u{0}8"], &["8"]),
        (r"^\1234$", &["S4"], &[]),
        (r"^\x41\x{42}\x{000043}$", &["ABC"], &[]),
        (r"^\x{10FFFF}$", &["\u{10ffff}"], &[]),
        (r"^\a\f\t\n\r\v$", &["\u{7}\u{c}\t\n\r\u{b}"], &[]),
        (r"\_\-\/\ ", &["_-/ "], &[]),
        (r"\<a\>", &["<a>"], &["a"]),
        // Half of a surrogate pair is in no text.
        (r"\x{D800}", &[], &["\u{fffd}", "\u{d7ff}", "\u{e000}"]),
        (r"[^\x{D800}]", &["\u{fffd}", "a"], &[]),
    ]);
    check_rejected(&[
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"\18", r"invalid escape sequence: `\1`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\u0041", r"invalid escape sequence: `\u`"),
        (r"\u{41}", r"invalid escape sequence: `\u`"),
        (r"\U00000041", r"invalid escape sequence: `\U`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        (r"\x{}", r"invalid escape sequence: `\x{}`"),
        (r"\x", r"invalid escape sequence: `\x`"),
        (r"\x4", r"invalid escape sequence: `\x4`"),
        (r"\xg1", r"invalid escape sequence: `\xg1`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        (r"\e", r"invalid escape sequence: `\e`"),
        (r"\h", r"invalid escape sequence: `\h`"),
        (r"\R", r"invalid escape sequence: `\R`"),
        (r"\K", r"invalid escape sequence: `\K`"),
        (r"\G", r"invalid escape sequence: `\G`"),
        (r"\é", r"invalid escape sequence: `\é`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        ("a\\", "trailing backslash at end of expression: ``"),
    ]);
}

#[test]
fn bracketed_classes() {
    check(&[
        ("^[[]$", &["["], &["]"]),
        ("^[a[b]$", &["a", "[", "b"], &["]"]),
        ("^[a[b]]$", &["[]", "a]"], &["a", "["]),
        ("^[a&&b]$", &["a", "&", "b"], &[]),
        ("^[a~~b]$", &["~", "a"], &[]),
        ("^[a-c--b]$", &["-", "b", "a"], &["d"]),
        ("^[+--]$", &["-", ",", "+"], &["."]),
        (r"^[\w-.]$", &["-", ".", "a"], &["/"]),
        (r"^[\d-z]$", &["-", "1", "z"], &["a"]),
        ("[[.a.]]", &[".]", "a]"], &["a"]),
        ("[[=a=]]", &["=]"], &["a"]),
        ("^[]a]$", &["]", "a"], &["b"]),
        ("^[^]a]$", &["b"], &["]", "a"]),
        ("^[a-]$", &["a", "-"], &["b"]),
        ("^[[:alpha:]-]$", &["a", "-"], &[":"]),
        ("^[[:^alpha:]]$", &["1", "é"], &["a"]),
        ("^[[:x]$", &["[", ":", "x"], &["]"]),
        ("^[^a]$", &["\n", "é"], &["a"]),
        ("^[ #]$", &[" ", "#"], &["a"]),
        // Ranges that meet at the surrogates leave no hole behind.
        (r"[^\x{0}-\x{D7FF}\x{E000}-\x{10FFFF}]", &[], &["\u{d7ff}", "\u{e000}", "a"]),
        (r"[^\x{D800}-\x{DFFF}]", &["\u{d7ff}", "\u{e000}"], &[]),
        (r"[\x{D700}-\x{E001}]", &["\u{d7ff}", "\u{e000}"], &["\u{e002}"]),
        (r"[^\x{0}-\x{10FFFF}]", &[], &["a", ""]),
    ]);
    check_rejected(&[
        ("[a--b]", "invalid character class range: `a--`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        (r"[a-\d]", r"invalid escape sequence: `\d`"),
        ("x[a", "missing closing ]: `[a`"),
        ("[]", "missing closing ]: `[]`"),
    ]);
}

#[test]
fn unicode_properties() {
    check(&[
        (r"^\p{^Lu}$", &["a"], &["A"]),
        (r"^\P{^Lu}$", &["A"], &["a"]),
        (r"^\pL\PL$", &["é1"], &["11"]),
        (r"\p{greek}", &["α"], &["a"]),
        (r"\p{ uppercase-LETTER_}", &["A"], &["a"]),
        (r"^\p{digit}\p{punct}\p{cntrl}\p{Combining_Mark}$", &["1!\n\u{301}"], &[]),
        (r"\p{Any}", &["a"], &[""]),
        (r"\P{Any}", &[], &["a"]),
        (r"\p{ASCII}", &["a"], &["é"]),
        (r"\p{Cs}", &[], &["\u{fffd}"]),
        (r"\P{Cs}", &["\u{d7ff}", "\u{e000}"], &[]),
        (r"\p{Zl}", &["\u{2028}"], &["\n"]),
        // Unicode 15.0: later characters are unassigned, and U+1171E was moved since.
        (r"\p{Assigned}", &["a"], &["\u{378}", "\u{a7dc}"]),
        (r"\p{Cn}", &["\u{378}", "\u{a7dc}"], &["a"]),
        (r"\pC", &["\u{378}", "\u{a7dc}", "\0"], &["a"]),
        (r"\pL", &["\u{19b}"], &["\u{a7dc}"]),
        (r"\p{Mn}", &["\u{1171e}"], &[]),
        (r"\p{Mc}", &["\u{903}"], &["\u{1171e}"]),
    ]);
    check_rejected(&[
        (r"\p{Alphabetic}", r"invalid character class range: `\p{Alphabetic}`"),
        (r"\p{Emoji}", r"invalid character class range: `\p{Emoji}`"),
        (r"\p{Script=Greek}", r"invalid character class range: `\p{Script=Greek}`"),
        (r"\p{sc=Han}", r"invalid character class range: `\p{sc=Han}`"),
        (r"\p{Zyyy}", r"invalid character class range: `\p{Zyyy}`"),
        (r"\p{IsGreek}", r"invalid character class range: `\p{IsGreek}`"),
        (r"\p{L&}", r"invalid character class range: `\p{L&}`"),
        (r"\p{Old_Italic}", r"invalid character class range: `\p{Old_Italic}`"),
        (r"\p{SignWriting}", r"invalid character class range: `\p{SignWriting}`"),
        (r"[\P{^x}]", r"invalid character class range: `\P{^x}`"),
        (r"\p{Lu", r"invalid character class range: `\p{Lu`"),
        (r"\p{}", r"invalid character class range: `\p{}`"),
        (r"a\p", r"invalid character class range: `\p`"),
    ]);
}

#[test]
fn repeats() {
    check(&[
        ("^a{,2}$", &["a{,2}"], &["", "aa"]),
        ("^a{$", &["a{"], &["a"]),
        ("^a{}$", &["a{}"], &["a"]),
        ("^a{x}$", &["a{x}"], &["a"]),
        ("^{$", &["{"], &[""]),
        ("^a}]$", &["a}]"], &[]),
        ("^a{02}$", &["a{02}"], &["aa"]),
        ("^a{2,03}$", &["a{2,03}"], &["aa"]),
        ("^a{2, 3}$", &["a{2, 3}"], &["aa"]),
        ("^a{2,}?$", &["aa", "aaa"], &["a"]),
        ("^a{0}$", &[""], &["a"]),
        ("^(a*)*$", &["", "aa"], &["b"]),
        ("^a(?i)*$", &["", "aa"], &["A"]),
        ("^a*(?i)*b$", &["b", "aaB"], &["A"]),
        ("^a{2}(?i){3}$", &["aaaaaa"], &["aaa", "aaaaa"]),
        (r"^a*\Q\E*$", &["", "aa"], &["b"]),
        (r"^*\b*$+", &[""], &[]),
    ]);
    check_rejected(&[
        ("a**", "invalid nested repetition operator: `**`"),
        ("a*+", "invalid nested repetition operator: `*+`"),
        ("a++", "invalid nested repetition operator: `++`"),
        ("a*??", "invalid nested repetition operator: `*??`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("a{2}*", "invalid nested repetition operator: `{2}*`"),
        ("x{1,2}{3}", "invalid nested repetition operator: `{1,2}{3}`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a|{2}?", "missing argument to repetition operator: `{2}?`"),
        ("(+)", "missing argument to repetition operator: `+`"),
        ("(?i)?", "missing argument to repetition operator: `?`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{1,99999999999}", "invalid repeat count: `{1,99999999999}`"),
        ("(a{100}){11}", "invalid repeat count: `{11}`"),
        ("(?:a{0,500}){3}", "invalid repeat count: `{3}`"),
    ]);
}

#[test]
fn groups_and_flags() {
    check(&[
        ("^(?)a$", &["a"], &["A"]),
        ("^(?i-i)a$", &["a"], &["A"]),
        ("^(?ii)k$", &["K"], &[]),
        ("^(?i:a)b$", &["Ab"], &["AB"]),
        ("^(?:a(?i)b|c)d$", &["aBd", "Cd"], &["ABd", "CD"]),
        ("(?s)^.$", &["\n"], &[]),
        ("^.$", &["é"], &["\n", ""]),
        ("(?m)^b$", &["a\nb\nc"], &[]),
        ("^b$", &["b"], &["b\n", "a\nb"]),
        (r"(?m)\Ab\z", &["b"], &["b\n"]),
        ("(?U)^a+?b$", &["aab"], &["b"]),
        ("^(?P<n>a)(?P<n>b)(?<m_1>c)$", &["abc"], &[]),
        ("^(?P<1>a)$", &["a"], &[]),
        ("^(|a|())$", &["", "a"], &["b"]),
        ("", &["", "a"], &[]),
    ]);
    check_rejected(&[
        ("(?x)a b", "invalid or unsupported Perl syntax: `(?x`"),
        (r"(?u)\w", "invalid or unsupported Perl syntax: `(?u`"),
        ("(?R)a$", "invalid or unsupported Perl syntax: `(?R`"),
        ("(?-)k", "invalid or unsupported Perl syntax: `(?-)`"),
        ("(?i-)k", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?n)a", "invalid or unsupported Perl syntax: `(?n`"),
        ("(?i", "invalid or unsupported Perl syntax: `(?i`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?<!a)", "invalid named capture: `(?<!a)`"),
        ("(?P<é>a)", "invalid named capture: `(?P<é>`"),
        ("(?P<a.b>a)", "invalid named capture: `(?P<a.b>`"),
        ("(?P<>a)", "invalid named capture: `(?P<>`"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
        ("(", "missing closing ): `(`"),
        ("a(b|c", "missing closing ): `a(b|c`"),
        ("a)b", "unexpected ): `a)b`"),
    ]);
}

#[test]
fn patterns_must_be_utf8() {
    let error = compile(b"a\xff").unwrap_err();
    assert_eq!(error.to_string(), "invalid UTF-8: `a\u{fffd}`");
}

#[test]
fn groups_nest_as_deep_as_in_go() {
    let nested = |open: &str, depth: usize| format!("{}a{}", open.repeat(depth), ")".repeat(depth));
    check(&[(&nested("(", 999), &["a"], &["b"]), (&nested("(?:", 5000), &["a"], &["b"])]);
    let pattern = nested("(", 1000);
    check_rejected(&[(&pattern, &format!("expression nests too deeply: `{pattern}`"))]);
}

#[test]
fn large_patterns() {
    check(&[
        (r"(\pL{100}){10}", &[], &["é"]),
        (&format!("^({}x)$", "user@example.com|".repeat(3000)), &["x"], &["y"]),
    ]);
    let pattern = format!("(?:{}){{1000}}", "()".repeat(5000));
    check_rejected(&[(&pattern, &format!("expression too large: `{pattern}`"))]);
}

#[test]
fn limits_of_our_own() {
    check_limit(&"a".repeat(65_536), Limit::Length);
    check_limit(&format!("{}z{}", "(?:a".repeat(100), "b)*".repeat(100)), Limit::Depth);
    check_limit(r"\pL".repeat(1000).as_str(), Limit::Classes);
    check_limit(&format!("[{}]", r"\pL".repeat(100)), Limit::Classes);
    check_limit(r"\pL{1000}\pL{1000}", Limit::Program);
    let text = PatternError::Limit(Limit::Depth).to_string();
    assert!(text.ends_with("exceeds a limit of Vexilla: nested deeper than 100 levels"), "{text}");
}

#[test]
fn deep_patterns_fit_a_small_stack() {
    let shapes = [
        ("(?:a", "b)*", 49),
        ("(?:a|b", ")c", 49),
        ("(?:x(?:a|b", "c)d)?", 24),
        // The engine takes common beginnings out, which nests deeper still.
        ("(?:^a|^b(?:", ")*)", 33),
    ];
    for (open, close, depth) in shapes {
        let pattern = format!("{}z{}", open.repeat(depth), close.repeat(depth));
        let compiled = std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(move || compile(pattern.as_bytes()).map(|regex| regex.is_match("b")))
            .unwrap()
            .join()
            .unwrap();
        assert!(compiled.is_ok(), "{open}: {compiled:?}");
    }
}

/// Pieces that mean something in one of the two syntaxes.
const PIECES: &str = r"a k é K 0 1 7 { } [ ] ( ) ^ $ . | * + ? - \ && ~~ -- : , < > ! = P # {2} {1,3} {0,} {1000} {,2}
(?: (?i) (?i: (?m) (?s) (?U) (?-i) (?x) (?P<n> (?<n> \d \W \s \b \B \b{start} \Q \E \x \x{ \x{D800} \x{DFFF} \01
\p \P \p{Greek} \p{^Lu} \pN [:alpha:] [:^digit:] [[: :] [^ [a-z [] \A \z \n \u";

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PIECES.split_ascii_whitespace().collect::<Vec<_>>())
}

/// Whatever is thrown at it: an answer or Go's complaint, never a translation that the engine does not understand.
fn check_answers(pattern: &[u8]) {
    assert!(!matches!(compile(pattern), Err(PatternError::Untranslated(_))));
}

proptest! {
    // Eight times the usual number, which the environment can set.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 8))]

    #[test]
    fn answers_any_text(pattern in any::<String>()) {
        check_answers(pattern.as_bytes());
    }

    #[test]
    fn answers_any_bytes(pattern in prop::collection::vec(any::<u8>(), 0..40)) {
        check_answers(&pattern);
    }

    #[test]
    fn answers_any_pattern(pieces in prop::collection::vec(piece(), 0..16)) {
        check_answers(pieces.concat().as_bytes());
    }
}
