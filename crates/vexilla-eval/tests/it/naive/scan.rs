//! Go's `text/scanner`: raw tokens (6.2), with a buffer that takes one of them back.

use std::sync::LazyLock;

use regex::Regex;

/// A raw token. Comments and white space are never seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ident,
    Number,
    String,
    /// A character literal or a raw string: nothing outside arrays, patterns and names takes one.
    Quoted,
    Char,
    End,
}

pub(crate) struct Scanner {
    text: Vec<char>,
    at: usize,
    last: Option<Token>,
    is_pushed_back: bool,
}

impl Scanner {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0, last: None, is_pushed_back: false }
    }

    /// The next token, or the last one again.
    pub(crate) fn next(&mut self) -> Token {
        if self.is_pushed_back {
            self.is_pushed_back = false;
            return self.last.clone().expect("a token was read before it was pushed back");
        }
        let token = self.scan();
        self.last = Some(token.clone());
        token
    }

    /// The token that was read last comes again. However often this is called, it is one token.
    pub(crate) fn push_back(&mut self) {
        self.is_pushed_back = true;
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn scan(&mut self) -> Token {
        self.skip();
        let start = self.at;
        let kind = match (self.peek(0), self.peek(1)) {
            (None, _) => Kind::End,
            (Some(it), _) if it == '_' || is_letter(it) => {
                while self.peek(0).is_some_and(|it| it == '_' || is_letter(it) || is_digit(it)) {
                    self.at += 1;
                }
                Kind::Ident
            }
            (Some('0'..='9'), _) | (Some('.'), Some('0'..='9')) => self.number(),
            (Some('"'), _) => {
                self.quoted('"');
                Kind::String
            }
            (Some('\''), _) => {
                self.quoted('\'');
                Kind::Quoted
            }
            (Some('`'), _) => {
                self.at += 1;
                while self.peek(0).is_some_and(|it| it != '`') {
                    self.at += 1;
                }
                self.at += usize::from(self.peek(0).is_some());
                Kind::Quoted
            }
            (Some(_), _) => {
                self.at += 1;
                Kind::Char
            }
        };
        Token { kind, text: self.text[start..self.at].iter().collect() }
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('\t' | '\n' | '\r' | ' '), _) => self.at += 1,
                (Some('/'), Some('/')) => {
                    while self.peek(0).is_some_and(|it| it != '\n') {
                        self.at += 1;
                    }
                }
                (Some('/'), Some('*')) => {
                    self.at += 2;
                    while self.peek(0).is_some()
                        && (self.peek(0), self.peek(1)) != (Some('*'), Some('/'))
                    {
                        self.at += 1;
                    }
                    self.at = (self.at + 2).min(self.text.len());
                }
                _ => return,
            }
        }
    }

    /// The extent of a number; whether it is one is found out later (6.3).
    fn number(&mut self) -> Kind {
        let is_hex = self.peek(0) == Some('0') && matches!(self.peek(1), Some('x' | 'X'));
        if is_hex
            || (self.peek(0) == Some('0') && matches!(self.peek(1), Some('o' | 'O' | 'b' | 'B')))
        {
            self.at += 2;
        }
        self.digits(is_hex);
        if self.peek(0) == Some('.') {
            self.at += 1;
            self.digits(is_hex);
        }
        if matches!(self.peek(0), Some('e' | 'E' | 'p' | 'P')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(0), Some('+' | '-')));
            self.digits(false);
        }
        Kind::Number
    }

    fn digits(&mut self, is_hex: bool) {
        let is_digit = |it: char| {
            it == '_' || if is_hex { it.is_ascii_hexdigit() } else { it.is_ascii_digit() }
        };
        while self.peek(0).is_some_and(is_digit) {
            self.at += 1;
        }
    }

    /// To the closing quote, to behind a line break, or to the end.
    fn quoted(&mut self, quote: char) {
        self.at += 1;
        while let Some(it) = self.peek(0) {
            self.at += 1;
            match (it, self.peek(0)) {
                ('\n', _) => return,
                ('\\', Some(next)) if next == quote || next == '\\' => self.at += 1,
                (it, _) if it == quote => return,
                _ => {}
            }
        }
    }
}

/// Category L of Unicode 15.0. The standard library knows `Alphabetic` only, which is more.
fn is_letter(it: char) -> bool {
    static LETTER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{L}&&\p{age=15.0}]$").expect("a class"));
    it.is_ascii_alphabetic() || (!it.is_ascii() && LETTER.is_match(it.encode_utf8(&mut [0; 4])))
}

/// Category Nd of Unicode 15.0.
fn is_digit(it: char) -> bool {
    static DIGIT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{Nd}&&\p{age=15.0}]$").expect("a class"));
    it.is_ascii_digit() || (!it.is_ascii() && DIGIT.is_match(it.encode_utf8(&mut [0; 4])))
}
