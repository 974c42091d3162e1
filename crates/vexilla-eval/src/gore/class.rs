//! Reads escapes and character classes.

use super::{
    charset::CharSet,
    cursor::Cursor,
    error::{Complaint, Limit, PatternError},
    names,
};

/// No class that a person writes comes near this many ranges; `\pL` has about 660.
const MAX_RANGES: usize = 50_000;

/// Whether letters stand for both of their cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Folded,
}

impl Case {
    fn applied_to(self, set: CharSet) -> CharSet {
        match self {
            Self::Exact => set,
            Self::Folded => set.folded(),
        }
    }
}

/// Reads `[…]`; the cursor stands at the bracket.
pub(super) fn bracketed(cursor: &mut Cursor<'_>, case: Case) -> Result<CharSet, PatternError> {
    let start = *cursor;
    cursor.next();
    let negated = cursor.take("^");
    let mut class = CharSet::default();
    let mut first = true;
    while first || !cursor.take("]") {
        first = false;
        let item = match named(cursor, case)? {
            Some(set) => set,
            None => range(cursor, case, start)?,
        };
        class.add(&item);
        if class.len() > MAX_RANGES {
            return Err(PatternError::Limit(Limit::Classes));
        }
    }
    Ok(if negated { class.negated() } else { class })
}

/// One character of a class, or a range of them.
fn range(cursor: &mut Cursor<'_>, case: Case, class: Cursor<'_>) -> Result<CharSet, PatternError> {
    let start = *cursor;
    let low = class_char(cursor, class)?;
    let mut high = low;
    let mut ahead = *cursor;
    if ahead.take("-") && ahead.peek().is_some_and(|next| next != ']') {
        *cursor = ahead;
        high = class_char(cursor, class)?;
        if high < low {
            return Err(Complaint::ClassRange.about(cursor.since(start)));
        }
    }
    Ok(case.applied_to(CharSet::of(&[(low, high)])))
}

fn class_char(cursor: &mut Cursor<'_>, class: Cursor<'_>) -> Result<u32, PatternError> {
    match cursor.peek() {
        None => Err(Complaint::MissingBracket.about(class.rest())),
        Some('\\') => escape(cursor),
        Some(text) => {
            cursor.next();
            Ok(u32::from(text))
        }
    }
}

/// Reads a class that has a name: `[:alpha:]`, `\pL`, `\p{Greek}`, `\d`. `None`, and nothing read, when there is none.
fn named(cursor: &mut Cursor<'_>, case: Case) -> Result<Option<CharSet>, PatternError> {
    match posix(cursor, case)? {
        Some(set) => Ok(Some(set)),
        None => escaped_class(cursor, case),
    }
}

fn posix(cursor: &mut Cursor<'_>, case: Case) -> Result<Option<CharSet>, PatternError> {
    let start = *cursor;
    let mut ahead = *cursor;
    if !ahead.take("[:") {
        return Ok(None);
    }
    let Some(name) = ahead.take_until(":]") else { return Ok(None) };
    *cursor = ahead;
    let (name, negated) = without_caret(name);
    let set = names::posix(name).ok_or_else(|| Complaint::ClassRange.about(cursor.since(start)))?;
    Ok(Some(negate_if(negated, case.applied_to(set))))
}

/// Reads `\d`, `\pL` and the like, which stand for a class in and outside of brackets.
pub(super) fn escaped_class(
    cursor: &mut Cursor<'_>,
    case: Case,
) -> Result<Option<CharSet>, PatternError> {
    let start = *cursor;
    let mut ahead = *cursor;
    if !ahead.take("\\") {
        return Ok(None);
    }
    let Some(letter) = ahead.next() else { return Ok(None) };
    if let Some((set, negated)) = names::perl(letter) {
        *cursor = ahead;
        return Ok(Some(negate_if(negated, case.applied_to(set))));
    }
    if letter != 'p' && letter != 'P' {
        return Ok(None);
    }
    let Some(name) = property_name(&mut ahead) else {
        return Err(Complaint::ClassRange.about(start.rest()));
    };
    *cursor = ahead;
    let (name, caret) = without_caret(name);
    let set = names::property(name, case)
        .ok_or_else(|| Complaint::ClassRange.about(cursor.since(start)))?;
    Ok(Some(negate_if(caret != (letter == 'P'), set)))
}

/// One character, or what stands in braces.
fn property_name<'p>(cursor: &mut Cursor<'p>) -> Option<&'p str> {
    if cursor.take("{") {
        return cursor.take_until("}");
    }
    let start = *cursor;
    cursor.next();
    Some(cursor.since(start))
}

fn without_caret(name: &str) -> (&str, bool) {
    match name.strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (name, false),
    }
}

fn negate_if(negated: bool, set: CharSet) -> CharSet {
    if negated { set.negated() } else { set }
}

/// Reads an escape that stands for one character; the cursor stands at the backslash.
pub(super) fn escape(cursor: &mut Cursor<'_>) -> Result<u32, PatternError> {
    let start = *cursor;
    cursor.next();
    let Some(letter) = cursor.next() else { return Err(Complaint::TrailingBackslash.about("")) };
    let code = match letter {
        '0'..='7' => octal(cursor, letter),
        'x' => hexadecimal(cursor),
        'a' => Some(0x07),
        'f' => Some(0x0C),
        'n' => Some(0x0A),
        'r' => Some(0x0D),
        't' => Some(0x09),
        'v' => Some(0x0B),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Some(u32::from(letter)),
        _ => None,
    };
    code.ok_or_else(|| Complaint::Escape.about(cursor.since(start)))
}

/// Up to three digits. A single one other than zero would be a reference to a group, which Go does not have.
fn octal(cursor: &mut Cursor<'_>, first: char) -> Option<u32> {
    let mut digits = 1;
    let mut code = first.to_digit(8)?;
    while digits < 3
        && let Some(digit) = cursor.peek().and_then(|next| next.to_digit(8))
    {
        cursor.next();
        code = code * 8 + digit;
        digits += 1;
    }
    (digits > 1 || first == '0').then_some(code)
}

/// Two digits, or any number of them in braces.
fn hexadecimal(cursor: &mut Cursor<'_>) -> Option<u32> {
    if !cursor.take("{") {
        let (high, low) = (cursor.next()?, cursor.next()?);
        return Some(high.to_digit(16)? * 16 + low.to_digit(16)?);
    }
    let mut code = None;
    loop {
        let next = cursor.next()?;
        if next == '}' {
            return code;
        }
        let value = code.unwrap_or(0) * 16 + next.to_digit(16)?;
        if value > u32::from(char::MAX) {
            return None;
        }
        code = Some(value);
    }
}
