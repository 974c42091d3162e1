//! Tokens as Flagr's parser sees them: one or several raw ones (6.2).

use super::expr::Op;
use super::scan::{Kind, Scanner, Token};
use super::variable::{self, Variable};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lexeme {
    Open,
    Close,
    Op(Op),
    Bool(bool),
    /// A number's text, sign included; not decoded.
    Number(String),
    /// A string's text, quotes included; not decoded.
    String(String),
    /// What stands between the slashes.
    Pattern(String),
    /// The array's text, brackets included; not decoded.
    Array(String),
    Variable(Variable),
    Illegal,
    End,
}

/// Reads a token of the parser's.
pub(crate) fn next(scanner: &mut Scanner) -> Lexeme {
    let Token { kind, text } = scanner.next();
    match kind {
        Kind::End => Lexeme::End,
        Kind::Ident => word(scanner, &text),
        Kind::Number => Lexeme::Number(text),
        Kind::String => Lexeme::String(text),
        Kind::Quoted => Lexeme::Illegal,
        Kind::Char => character(scanner, &text).unwrap_or(Lexeme::Illegal),
    }
}

fn word(scanner: &mut Scanner, text: &str) -> Lexeme {
    match &*upper(text) {
        "AND" => Lexeme::Op(Op::And),
        "OR" => Lexeme::Op(Op::Or),
        "XOR" => Lexeme::Op(Op::Xor),
        "NAND" => Lexeme::Op(Op::Nand),
        "IN" => Lexeme::Op(Op::In),
        "CONTAINS" => Lexeme::Op(Op::Contains),
        "NOT" => match &*upper(&scanner.next().text) {
            "IN" => Lexeme::Op(Op::NotIn),
            "CONTAINS" => Lexeme::Op(Op::NotContains),
            _ => Lexeme::Illegal,
        },
        "TRUE" => Lexeme::Bool(true),
        "FALSE" => Lexeme::Bool(false),
        _ => Lexeme::Illegal,
    }
}

fn character(scanner: &mut Scanner, text: &str) -> Option<Lexeme> {
    Some(match text {
        "(" => Lexeme::Open,
        ")" => Lexeme::Close,
        ">" => Lexeme::Op(if follows(scanner, "=") { Op::Gte } else { Op::Gt }),
        "<" => Lexeme::Op(if follows(scanner, "=") { Op::Lte } else { Op::Lt }),
        "=" if follows(scanner, "=") => Lexeme::Op(Op::Eq),
        "=" if follows(scanner, "~") => Lexeme::Op(Op::Ereg),
        "!" if follows(scanner, "=") => Lexeme::Op(Op::Neq),
        "!" if follows(scanner, "~") => Lexeme::Op(Op::Nereg),
        "-" => {
            let token = scanner.next();
            Some(token)
                .filter(|it| it.kind == Kind::Number)
                .map(|it| Lexeme::Number(format!("-{}", it.text)))?
        }
        "/" => Lexeme::Pattern(up_to(scanner, "/", usize::MAX)?),
        "[" => Lexeme::Array(format!("[{}]", up_to(scanner, "]", 65_535)?)),
        "{" => Lexeme::Variable(variable::read(scanner)?),
        _ => return None,
    })
}

/// Takes the next token if it is this one.
fn follows(scanner: &mut Scanner, text: &str) -> bool {
    let is_it = scanner.next().text == text;
    if !is_it {
        scanner.push_back();
    }
    is_it
}

/// The texts of the tokens before the closing one, of which there may be so many.
fn up_to(scanner: &mut Scanner, close: &str, most: usize) -> Option<String> {
    let mut texts = String::new();
    for count in 0.. {
        let token = scanner.next();
        if token.text == close {
            return Some(texts);
        }
        if token.kind == Kind::End || count == most {
            return None;
        }
        texts.push_str(&token.text);
    }
    None
}

/// Upper case, one character for one, as Go does it.
fn upper(text: &str) -> String {
    let one = |it: char| {
        let mut upper = it.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(upper), None) => upper,
            _ => it,
        }
    };
    text.chars().map(one).collect()
}
