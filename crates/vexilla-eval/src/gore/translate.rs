//! Reads Go's syntax and writes the engine's, in one pass without recursion.
//!
//! Only whether a text matches is of interest, so groups capture nothing and greed is dropped.

use super::{
    MAX_TRANSLATION,
    charset::{CharSet, write_char},
    class::{self, Case},
    cursor::Cursor,
    error::{Complaint, Limit, PatternError},
    flags::Flags,
    weight::{Counts, Shape, Weight},
};

/// No edge of an ASCII word. The second half holds between any two characters but not inside of one: there the first half
/// alone makes the engine step over matches, as `(?-u:\B)|.I` on `kƛI` shows.
const NO_BOUNDARY: &str = r"(?:(?-u:\B)(?:\b|\B))";

/// The pattern for the engine.
pub(super) fn translate(pattern: &str) -> Result<String, PatternError> {
    let mut translator = Translator {
        cursor: Cursor::new(pattern),
        out: String::with_capacity(pattern.len() * 2),
        flags: Flags::default(),
        group: Group::default(),
        outer: Vec::new(),
        repeat: None,
    };
    while translator.cursor.peek().is_some() {
        translator.item()?;
    }
    if !translator.outer.is_empty() {
        return Err(Complaint::MissingParen.about(pattern));
    }
    translator.group.weight().check(pattern)?;
    Ok(translator.out)
}

struct Translator<'p> {
    cursor: Cursor<'p>,
    out: String,
    flags: Flags,
    /// The group being read, and those around it.
    group: Group,
    outer: Vec<Group>,
    /// Where the repetition began that was read just before.
    repeat: Option<Cursor<'p>>,
}

/// An open group, or the whole pattern.
#[derive(Default)]
struct Group {
    captures: bool,
    /// The flags to return to.
    flags_before: Flags,
    /// Where it starts in the output.
    start: usize,
    /// The alternatives that are complete.
    alternatives: Option<Weight>,
    /// The parts of the alternative being read.
    parts: Vec<Part>,
}

/// Something that a repetition can follow.
struct Part {
    /// Where it starts in the output.
    start: usize,
    weight: Weight,
}

impl Group {
    fn end_alternative(&mut self) {
        let weight = self.weight();
        self.parts.clear();
        self.alternatives = Some(weight);
    }

    fn weight(&self) -> Weight {
        let sequence = Weight::sequence(self.parts.iter().map(|part| part.weight));
        match self.alternatives {
            None => sequence,
            Some(before) => before.or(sequence),
        }
    }
}

impl<'p> Translator<'p> {
    fn item(&mut self) -> Result<(), PatternError> {
        let start = self.cursor;
        let repeat = self.repeat.take();
        let Some(first) = self.cursor.next() else { return Ok(()) };
        match first {
            '(' => self.open(start)?,
            ')' => self.close()?,
            '|' => {
                self.group.end_alternative();
                self.out.push('|');
            }
            '^' if self.flags.multi_line => self.push_text("(?m:^)", Shape::Other),
            '^' => self.push_text(r"\A", Shape::Other),
            '$' if self.flags.multi_line => self.push_text("(?m:$)", Shape::Other),
            '$' => self.push_text(r"\z", Shape::Other),
            '.' if self.flags.dot_all => self.push_text("(?s:.)", Shape::Class),
            '.' => self.push_text(".", Shape::Class),
            '[' => {
                self.cursor = start;
                let class = class::bracketed(&mut self.cursor, self.flags.case)?;
                self.push_class(&class)?;
            }
            '*' | '+' | '?' => self.repeat(start, repeat, None)?,
            '{' => match counts(&mut self.cursor) {
                Some(counts) => self.repeat(start, repeat, Some(counts))?,
                None => self.push_literal(u32::from('{')),
            },
            '\\' => self.backslash(start)?,
            _ => self.push_literal(u32::from(first)),
        }
        Ok(())
    }

    fn open(&mut self, start: Cursor<'p>) -> Result<(), PatternError> {
        let flags_before = self.flags;
        let special = self.cursor.take("?");
        let captures = !special || named_capture(&mut self.cursor, start)?;
        if !captures && !self.flags.read(&mut self.cursor, start)? {
            return Ok(());
        }
        let group = Group { captures, flags_before, start: self.out.len(), ..Group::default() };
        self.outer.push(std::mem::replace(&mut self.group, group));
        self.out.push_str("(?:");
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let pattern = self.cursor.pattern();
        let Some(outer) = self.outer.pop() else {
            return Err(Complaint::UnexpectedParen.about(pattern));
        };
        let group = std::mem::replace(&mut self.group, outer);
        let mut weight = group.weight();
        if group.captures {
            weight = weight.captured();
        }
        weight.check(pattern)?;
        self.out.push(')');
        self.flags = group.flags_before;
        self.group.parts.push(Part { start: group.start, weight });
        Ok(())
    }

    /// A repetition that began at `start`; `previous` is the one read directly before it.
    fn repeat(
        &mut self,
        start: Cursor<'p>,
        previous: Option<Cursor<'p>>,
        counts: Option<Counts>,
    ) -> Result<(), PatternError> {
        let operator = self.cursor.since(start);
        if counts.is_some_and(|counts| !counts.are_valid()) {
            return Err(Complaint::RepeatCount.about(operator));
        }
        self.cursor.take("?");
        let text = self.cursor.since(start);
        if let Some(previous) = previous {
            return Err(Complaint::NestedRepetition.about(self.cursor.since(previous)));
        }
        let Some(part) = self.group.parts.last_mut() else {
            return Err(Complaint::MissingArgument.about(text));
        };
        if part.weight.shape == Shape::Repeat {
            self.out.insert_str(part.start, "(?:");
            self.out.push(')');
        }
        let weight = match counts {
            None => Some(part.weight.repeated()),
            Some(counts) => part.weight.counted(counts),
        };
        part.weight = weight.ok_or_else(|| Complaint::RepeatCount.about(text))?;
        part.weight.check(self.cursor.pattern())?;
        self.out.push_str(operator);
        self.repeat = Some(start);
        Ok(())
    }

    fn backslash(&mut self, start: Cursor<'p>) -> Result<(), PatternError> {
        match self.cursor.peek() {
            Some('A') => self.push_assertion(r"\A"),
            Some('z') => self.push_assertion(r"\z"),
            // Word characters are ASCII in Go.
            Some('b') => self.push_assertion(r"(?-u:\b)"),
            Some('B') => self.push_assertion(NO_BOUNDARY),
            Some('Q') => self.quoted(),
            _ => {
                self.cursor = start;
                match class::escaped_class(&mut self.cursor, self.flags.case)? {
                    Some(class) => self.push_class(&class)?,
                    None => {
                        let code = class::escape(&mut self.cursor)?;
                        self.push_literal(code);
                    }
                }
            }
        }
        Ok(())
    }

    /// Everything up to `\E` stands for itself.
    fn quoted(&mut self) {
        self.cursor.next();
        let text = match self.cursor.take_until(r"\E") {
            Some(text) => text,
            None => self.cursor.take_rest(),
        };
        for literal in text.chars() {
            self.push_literal(u32::from(literal));
        }
    }

    fn push_assertion(&mut self, text: &str) {
        self.cursor.next();
        self.push_text(text, Shape::Other);
    }

    fn push_text(&mut self, text: &str, shape: Shape) {
        self.begin_part(shape);
        self.out.push_str(text);
    }

    fn push_class(&mut self, class: &CharSet) -> Result<(), PatternError> {
        self.begin_part(Shape::Class);
        class.write_to(&mut self.out);
        if self.out.len() > MAX_TRANSLATION {
            return Err(PatternError::Limit(Limit::Classes));
        }
        Ok(())
    }

    /// A code point that stands for itself. It can be half of a surrogate pair: that matches nothing.
    fn push_literal(&mut self, code: u32) {
        let folded = self.flags.case == Case::Folded;
        self.begin_part(Shape::Literal { folded, single: true });
        match char::from_u32(code) {
            Some(literal) if !folded => write_char(literal, &mut self.out),
            _ => CharSet::single(code).folded().write_to(&mut self.out),
        }
    }

    fn begin_part(&mut self, shape: Shape) {
        self.group.parts.push(Part { start: self.out.len(), weight: Weight::of(shape) });
    }
}

/// Reads the name of a group behind `(?`, and says whether there was one.
fn named_capture(cursor: &mut Cursor<'_>, group: Cursor<'_>) -> Result<bool, PatternError> {
    let mut ahead = *cursor;
    if !ahead.take("P<") && !ahead.take("<") {
        return Ok(false);
    }
    // `(?P<` and `(?<` at the very end are no names for Go but unknown flags.
    if ahead.peek().is_none() {
        return Ok(false);
    }
    let Some(name) = ahead.take_until(">") else {
        return Err(Complaint::NamedCapture.about(group.rest()));
    };
    *cursor = ahead;
    let valid =
        !name.is_empty() && name.chars().all(|text| text == '_' || text.is_ascii_alphanumeric());
    if valid { Ok(true) } else { Err(Complaint::NamedCapture.about(cursor.since(group))) }
}

/// Reads `2}`, `2,}` or `2,3}`. `None`, and nothing read, when something else stands there: then the brace is a literal.
fn counts(cursor: &mut Cursor<'_>) -> Option<Counts> {
    let mut ahead = *cursor;
    let least = count(&mut ahead)?;
    let most = if ahead.take(",") {
        if ahead.peek() == Some('}') { None } else { Some(count(&mut ahead)?) }
    } else {
        Some(least)
    };
    if !ahead.take("}") {
        return None;
    }
    *cursor = ahead;
    Some(Counts { least, most })
}

/// A number without leading zeros. One that is too large for its type is too large for Go, too.
fn count(cursor: &mut Cursor<'_>) -> Option<u32> {
    let digits = cursor.take_while(|next| next.is_ascii_digit());
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}
