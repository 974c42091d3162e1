//! From text to a tree: one operand after the other, with Flagr's single rotation and its push-back (6.8).

use super::expr::Expr;
use super::lex::{self, Lexeme};
use super::literal;
use super::operand::Operand;
use super::scan::Scanner;

/// None where Flagr rejects the text.
pub(crate) fn parse(text: &str) -> Option<Expr> {
    expr(&mut Scanner::new(text))
}

fn expr(scanner: &mut Scanner) -> Option<Expr> {
    let mut root = unary(scanner)?;
    loop {
        let op = match lex::next(scanner) {
            Lexeme::Op(op) => op,
            Lexeme::Illegal => return None,
            _ => {
                scanner.push_back();
                return Some(root);
            }
        };
        let operand = unary(scanner)?;
        root = match root {
            Expr::Binary(left, first, right) if first.precedence() <= op.precedence() => {
                Expr::Binary(left, first, Box::new(Expr::Binary(right, op, Box::new(operand))))
            }
            root => Expr::Binary(Box::new(root), op, Box::new(operand)),
        };
    }
}

fn unary(scanner: &mut Scanner) -> Option<Expr> {
    Some(match lex::next(scanner) {
        Lexeme::Open => {
            let inner = expr(scanner)?;
            if lex::next(scanner) != Lexeme::Close {
                return None;
            }
            Expr::Group(Box::new(inner))
        }
        Lexeme::Bool(value) => Expr::Literal(Operand::Bool(value)),
        Lexeme::Number(text) => Expr::Literal(Operand::Number(literal::number(&text)?)),
        Lexeme::String(token) => Expr::Literal(Operand::Text(literal::string(&token))),
        Lexeme::Pattern(text) => Expr::Literal(Operand::Text((&*text).into())),
        Lexeme::Array(text) => Expr::Literal(literal::array(&text)?),
        Lexeme::Variable(variable) => Expr::Variable(variable),
        Lexeme::Op(_) | Lexeme::Close | Lexeme::Illegal | Lexeme::End => return None,
    })
}
