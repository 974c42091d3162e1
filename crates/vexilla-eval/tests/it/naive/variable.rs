//! Names and paths in braces (6.4).

use super::scan::{Kind, Scanner};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Variable {
    Flat(String),
    Path(String, Vec<Step>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Name(String),
    Index(i64),
}

/// Reads what follows a `{`. None where it is illegal.
pub(crate) fn read(scanner: &mut Scanner) -> Option<Variable> {
    let mut name = String::new();
    let mut separator = "";
    loop {
        loop {
            let token = scanner.next();
            if token.kind == Kind::End {
                return None;
            }
            name.push_str(separator);
            name.push_str(&token.text);
            if token.text != "@" {
                break;
            }
        }
        match &*scanner.next().text {
            "." if separator.is_empty() => return path(scanner, name, "."),
            "[" if separator.is_empty() => return path(scanner, name, "["),
            "-" => separator = "-",
            "}" => {
                if scanner.next().text != "{" {
                    scanner.push_back();
                    return Some(Variable::Flat(name));
                }
                separator = ".";
            }
            _ => return None,
        }
    }
}

/// The steps, up to the closing brace; nothing behind it is looked at.
fn path(scanner: &mut Scanner, root: String, first: &str) -> Option<Variable> {
    let mut steps = Vec::new();
    let mut mark = first.to_owned();
    loop {
        match &*mark {
            "." => {
                let token = scanner.next();
                if token.kind != Kind::Ident {
                    return None;
                }
                steps.push(Step::Name(token.text));
            }
            "[" => {
                let mut index = String::new();
                loop {
                    let token = scanner.next();
                    match &*token.text {
                        "]" => break,
                        _ if token.kind == Kind::End => return None,
                        text => index.push_str(text),
                    }
                }
                steps.push(Step::Index(index.parse().ok()?));
            }
            "}" => return Some(Variable::Path(root, steps)),
            _ => return None,
        }
        mark = scanner.next().text;
    }
}
