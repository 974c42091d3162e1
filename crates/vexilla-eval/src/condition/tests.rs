//! Every row of what is known about Flagr's condition language, as one line.

mod literals;
mod recorded;
mod reports;
mod safety;
mod syntax;

use super::{Expr, Step, Variable, constraint_text, parse, segment_text};

/// What Flagr does not let through.
const REJECTED: &str = "rejected";

fn check(cases: &[(&str, &str, &str, &str)]) {
    for (property, operator, value, expected) in cases {
        let expected =
            if *expected == REJECTED { expected.to_string() } else { format!("({expected})") };
        assert_eq!(tree(&[(property, operator, value)]), expected, "{property} {operator} {value}");
    }
}

fn check_values(cases: &[(&str, &str)]) {
    for (value, expected) in cases {
        let got = tree(&[("p", "EQ", value)]);
        let expected = match *expected {
            REJECTED => REJECTED.to_owned(),
            _ => format!("(<{{p}} == {expected}>)"),
        };
        assert_eq!(got, expected, "{value}");
    }
}

fn check_properties(cases: &[(&str, &str)]) {
    for (property, expected) in cases {
        let expected = if *expected == REJECTED {
            REJECTED.to_owned()
        } else {
            format!("(<{expected} == 1>)")
        };
        assert_eq!(tree(&[(property, "EQ", "1")]), expected, "{property}");
    }
}

fn check_trees(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let got = parse(text).map_or(REJECTED.to_owned(), |it| show(&it));
        assert_eq!(got, *expected, "{text}");
    }
}

/// The tree of a segment's constraints, each of which Flagr has to accept first.
fn tree(constraints: &[(&str, &str, &str)]) -> String {
    let alone = constraints.iter().try_for_each(|(property, operator, value)| {
        constraint_text(property, operator, value).and_then(|it| parse(&it)).map(|_| ())
    });
    let together = alone.and_then(|()| parse(&segment_text(constraints.iter().copied())?));
    together.map_or(REJECTED.to_owned(), |it| show(&it))
}

/// Chains in `<…>`, parentheses as they are, steps of a path after `|`.
fn show(expr: &Expr) -> String {
    let text = |it: &[u8]| match str::from_utf8(it) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("\"{}\"", it.escape_ascii()),
    };
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    match expr {
        Expr::Chain { first, rest } => {
            let rest = rest.iter().map(|(op, operand)| format!(" {op} {}", show(operand)));
            format!("<{}{}>", show(first), rest.collect::<Vec<_>>().concat())
        }
        Expr::Group(inner) => format!("({})", show(inner)),
        Expr::Number(number) => {
            let digits = number.to_string();
            if digits.len() > 22 {
                format!("{}…", digits.get(..if number.abs() < 1.0 { 23 } else { 21 }).unwrap())
            } else {
                digits
            }
        }
        Expr::String(it) => text(it),
        Expr::Bool(value) => value.to_string(),
        Expr::Numbers(numbers) => list(numbers.iter().map(f64::to_string).collect()),
        Expr::Strings(texts) => list(texts.iter().map(|it| text(it)).collect()),
        Expr::Variable(Variable::Flat(key)) => format!("{{{key}}}"),
        Expr::Variable(Variable::Path { root, steps }) => {
            let steps: String = steps
                .iter()
                .map(|step| match step {
                    Step::Name(name) => format!("|{name}"),
                    Step::Index(index) => format!("|{index}"),
                })
                .collect();
            format!("{{{root}{steps}}}")
        }
    }
}
