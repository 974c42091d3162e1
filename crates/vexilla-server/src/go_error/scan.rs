//! JSON's syntax, byte by byte, with Go's words for what breaks it.

use crate::reject::Rejected;

/// Go refuses values nested deeper than this.
pub(crate) const MAX_DEPTH: usize = 10_000;

/// Why there is no value at the start of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SyntaxError {
    /// Nothing but white space.
    Empty,
    /// The value does not end.
    Unfinished,
    /// A byte that cannot stand there.
    Unexpected { byte: u8, place: String },
}

impl From<SyntaxError> for Rejected {
    fn from(error: SyntaxError) -> Self {
        match error {
            SyntaxError::Empty => Self::Empty,
            SyntaxError::Unfinished => Self::Unfinished,
            SyntaxError::Unexpected { byte, place } => {
                Self::Unreadable(format!("invalid character {} {place}", quoted(byte)))
            }
        }
    }
}

/// The byte in single quotes, as Go prints it: for the character of that number.
fn quoted(byte: u8) -> String {
    let inner = match byte {
        b'\'' => "\\'".to_owned(),
        b'\\' => "\\\\".to_owned(),
        0x07 => "\\a".to_owned(),
        0x08 => "\\b".to_owned(),
        0x0c => "\\f".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        0x0b => "\\v".to_owned(),
        0x00..=0x1f | 0x7f => format!("\\x{byte:02x}"),
        0x80..=0xa0 | 0xad => format!("\\u{byte:04x}"),
        other => char::from(other).to_string(),
    };
    format!("'{inner}'")
}

/// The first JSON value of a body, white space before it included.
///
/// # Errors
///
/// If there is none.
pub(crate) fn first_value(body: &[u8]) -> Result<&[u8], SyntaxError> {
    let mut scan = Scan { rest: body, ends_with_space: false };
    scan.value()?;
    Ok(body.get(..body.len() - scan.rest.len()).unwrap_or_default())
}

/// Checks that a text is one JSON value and nothing else.
///
/// # Errors
///
/// If it is not.
pub(crate) fn only_value(text: &[u8]) -> Result<(), SyntaxError> {
    let mut scan = Scan { rest: text, ends_with_space: true };
    scan.value()?;
    match scan.past_space() {
        None => Ok(()),
        Some(byte) => Err(unexpected(byte, "after top-level value")),
    }
}

/// What the value stands in.
#[derive(Clone, Copy)]
enum Inside {
    Array,
    Object,
}

struct Scan<'b> {
    rest: &'b [u8],
    /// Whether the text ends as Go ends one that is there as a whole: with a space that nobody wrote. Within a word, a
    /// number or an escape it is what breaks the syntax.
    ends_with_space: bool,
}

impl Scan<'_> {
    fn value(&mut self) -> Result<(), SyntaxError> {
        let mut inside = Vec::new();
        if self.past_space().is_none() {
            return Err(SyntaxError::Empty);
        }
        loop {
            // A value starts here.
            match self.past_space().ok_or(SyntaxError::Unfinished)? {
                byte @ (b'{' | b'[') => {
                    if inside.len() == MAX_DEPTH {
                        return Err(unexpected(byte, "exceeded max depth"));
                    }
                    self.next()?;
                    if byte == b'[' {
                        inside.push(Inside::Array);
                        if self.past_space() != Some(b']') {
                            continue;
                        }
                    } else {
                        inside.push(Inside::Object);
                        if self.past_space() != Some(b'}') {
                            self.member_name()?;
                            continue;
                        }
                    }
                }
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                other => return Err(unexpected(other, "looking for beginning of value")),
            }
            // A value ended, or something that was opened is to be closed at once.
            loop {
                let Some(around) = inside.last() else { return Ok(()) };
                self.past_space();
                match (around, self.next()?) {
                    (Inside::Array, b',') => break,
                    (Inside::Object, b',') => {
                        self.past_space();
                        self.member_name()?;
                        break;
                    }
                    (Inside::Array, b']') | (Inside::Object, b'}') => {
                        inside.pop();
                    }
                    (Inside::Array, other) => return Err(unexpected(other, "after array element")),
                    (Inside::Object, other) => {
                        return Err(unexpected(other, "after object key:value pair"));
                    }
                }
            }
        }
    }

    fn member_name(&mut self) -> Result<(), SyntaxError> {
        match self.peek().ok_or(SyntaxError::Unfinished)? {
            b'"' => self.string()?,
            other => return Err(unexpected(other, "looking for beginning of object key string")),
        }
        self.past_space();
        match self.next()? {
            b':' => Ok(()),
            other => Err(unexpected(other, "after object key")),
        }
    }

    fn string(&mut self) -> Result<(), SyntaxError> {
        self.next()?;
        loop {
            match self.within()? {
                b'"' => return Ok(()),
                b'\\' => match self.within()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            let byte = self.within()?;
                            if !byte.is_ascii_hexdigit() {
                                return Err(unexpected(
                                    byte,
                                    "in \\u hexadecimal character escape",
                                ));
                            }
                        }
                    }
                    other => return Err(unexpected(other, "in string escape code")),
                },
                byte @ 0x00..=0x1f => return Err(unexpected(byte, "in string literal")),
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        if self.peek() == Some(b'-') {
            self.within()?;
        }
        match self.within()? {
            b'0' => {}
            b'1'..=b'9' => self.past_digits(),
            other => return Err(unexpected(other, "in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.within()?;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.within()?;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.within()?;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, place: &str) -> Result<(), SyntaxError> {
        match self.within()? {
            b'0'..=b'9' => {
                self.past_digits();
                Ok(())
            }
            other => Err(unexpected(other, place)),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), SyntaxError> {
        for expected in word.bytes() {
            let byte = self.within()?;
            if byte != expected {
                let place = format!("in literal {word} (expecting {})", quoted(expected));
                return Err(SyntaxError::Unexpected { byte, place });
            }
        }
        Ok(())
    }

    fn past_digits(&mut self) {
        self.skip(|byte| byte.is_ascii_digit());
    }

    /// Skips white space and looks at the byte behind it.
    fn past_space(&mut self) -> Option<u8> {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.peek()
    }

    fn skip(&mut self, some: impl Fn(u8) -> bool) {
        let count = self.rest.iter().take_while(|byte| some(**byte)).count();
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next byte of something that is not over yet.
    fn within(&mut self) -> Result<u8, SyntaxError> {
        if self.rest.is_empty() && std::mem::take(&mut self.ends_with_space) {
            return Ok(b' ');
        }
        self.next()
    }

    fn next(&mut self) -> Result<u8, SyntaxError> {
        let (byte, rest) = self.rest.split_first().ok_or(SyntaxError::Unfinished)?;
        self.rest = rest;
        Ok(*byte)
    }
}

fn unexpected(byte: u8, place: &str) -> SyntaxError {
    SyntaxError::Unexpected { byte, place: place.to_owned() }
}
