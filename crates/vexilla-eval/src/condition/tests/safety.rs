//! No text makes the parser panic, exhaust the stack or forget what it read.

use std::thread;

use proptest::prelude::*;

use super::super::{ConditionErrorKind, Expr, Variable, constraint_text, parse};

#[test]
fn limits() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    let kind = |text: &str| parse(text).unwrap_err().kind();
    on_usual_stack(move || {
        parse(&nested(256)).unwrap();
        assert_eq!(kind(&nested(257)), ConditionErrorKind::TooDeep);
        assert_eq!(kind(&nested(300_000)), ConditionErrorKind::TooDeep);
        assert_eq!(kind(&"(".repeat(1 << 20)), ConditionErrorKind::TooDeep);
        // Only open parentheses count, and only those that are parentheses.
        parse(&format!("{}1", "(1) AND ".repeat(1000))).unwrap();
        parse(&format!("1 == /{}/", "(".repeat(1000))).unwrap();
        parse(&format!("(1) 5 {}", "(".repeat(1000))).unwrap();
        assert_eq!(kind(&" ".repeat((1 << 20) + 1)), ConditionErrorKind::TooLong);
        assert_eq!(kind(&" ".repeat(1 << 20)), ConditionErrorKind::Syntax);
        // A message does not repeat a long text.
        assert!(parse(&"x".repeat(1 << 20)).unwrap_err().to_string().len() < 200);

        let array = |tokens: usize| {
            format!(
                "1 IN [1{}{}]",
                ",1".repeat(tokens / 2),
                if tokens.is_multiple_of(2) { ",-1" } else { "" }
            )
        };
        parse(&array(65_535)).unwrap();
        assert_eq!(kind(&array(65_536)), ConditionErrorKind::Syntax);
        assert_eq!(kind(&array(65_536).replace("1 IN", "(1)")), ConditionErrorKind::Syntax);
    });
}

#[test]
fn long_chains_need_little_stack() {
    on_usual_stack(|| {
        for link in [
            " AND ({a} == 1)",
            " OR ({a} == 1)",
            " == 1",
            " == 1 AND 2",
            " AND 2 == 1 OR 3",
            " NAND 1",
            " == (1 OR 2 AND 3)",
        ] {
            let text = format!("1{}", link.repeat(10_000));
            let expr = parse(&text).unwrap();
            assert_eq!(expr.clone(), expr);
            assert!(expr.to_string().len() > 50_000);
        }
        // The deepest tree: chains within chains within each of the nested parentheses.
        let deep = format!("{}1{}", "1 == 2 AND 1 == (".repeat(256), ") AND 2 OR 3".repeat(256));
        let expr = parse(&deep).unwrap();
        assert_eq!(parse(&deep).unwrap().to_string(), expr.to_string());
    });
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in any::<String>(), operator in "EQ|EREG|IN") {
        let _ = parse(&text);
        let _ = constraint_text(&text, &operator, &text).and_then(|it| parse(&it)).map(|it| it.to_string());
    }

    #[test]
    fn any_tokens_get_an_answer(tokens in prop::collection::vec(token(), 0..20)) {
        let _ = parse(&tokens.concat()).map(|it| it.to_string());
    }

    #[test]
    fn printing_gives_the_condition_back(
        tokens in prop::collection::vec(operand(), 1..6),
        operators in prop::collection::vec(operator(), 5),
    ) {
        let mut text = String::new();
        for (token, operator) in tokens.iter().zip(&operators) {
            text = if text.is_empty() { token.clone() } else { format!("{text} {operator} {token}") };
        }
        let expr = parse(&text).unwrap();
        let printed = source(&expr);
        prop_assert_eq!(parse(&printed).unwrap(), expr, "{}", printed);
    }
}

/// A piece of a condition, biased to what the language does strangely.
fn token() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "/",
        "//",
        "/*",
        "*/",
        "\"",
        "'",
        "`",
        "\\",
        "\n",
        " ",
        "-",
        ".",
        "@",
        "==",
        "=",
        "!~",
        ">",
        "{a}",
        "{a.b[0]}",
        "AND",
        " or ",
        "NOT",
        "IN",
        "contains",
        "true",
        "FALſE",
        "1",
        "0x1.8p1",
        "1_0",
        "1e",
        ".5",
        "\"a\\d\"",
        "[1,2]",
        "[\"a\"]",
        "/x y/",
        "a",
        "é",
        "\u{301}",
        "\u{feff}",
        ",",
        "\"\\u00e9\"",
    ];
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

fn operator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &[
            "AND", "OR", "XOR", "NAND", "==", "!=", "<", "<=", ">", ">=", "=~", "!~", "IN",
            "NOT IN", "CONTAINS",
        ][..],
    )
}

fn operand() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<f64>().prop_filter("finite", |it| it.is_finite()).prop_map(|it| it.to_string()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<String>().prop_map(|it| serde_json::json!([it]).to_string()),
        prop::collection::vec(any::<i32>(), 1..4).prop_map(|it| format!("{it:?}")),
        any::<Vec<u8>>().prop_map(|it| source(&Expr::String(it.into()))),
        "[a-z]{1,3}((-|\\}\\{)[a-z][a-z0-9]{0,2}){0,2}".prop_map(|it| format!("{{{it}}}")),
        "[a-zé]{1,3}(\\.[a-z]|\\[-?[0-9]\\]){1,3}".prop_map(|it| format!("{{{it}}}")),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        (inner.clone(), operator(), inner)
            .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"))
    })
}

/// The condition as a text that parses.
fn source(expr: &Expr) -> String {
    match expr {
        Expr::Chain { first, rest } => rest
            .iter()
            .fold(source(first), |text, (op, operand)| format!("{text} {op} {}", source(operand))),
        Expr::Group(inner) => format!("({})", source(inner)),
        Expr::Number(number) => number.to_string(),
        Expr::String(text) => {
            let escape = |text: String, byte| format!("{text}\\x{byte:02x}");
            format!("\"{}\"", text.iter().fold(String::new(), escape))
        }
        Expr::Bool(value) => value.to_string(),
        Expr::Numbers(numbers) => format!("{numbers:?}"),
        Expr::Strings(texts) => serde_json::json!(
            texts.iter().map(|it| str::from_utf8(it).unwrap()).collect::<Vec<_>>()
        )
        .to_string(),
        Expr::Variable(Variable::Flat(key)) => format!("{{{}}}", key.replace('.', "}{")),
        Expr::Variable(path) => format!("{{{path}}}"),
    }
}

/// As much as threads usually get.
fn on_usual_stack(test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
}
