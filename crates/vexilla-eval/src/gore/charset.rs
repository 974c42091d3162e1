//! Sets of characters: union, negation, case folding, and their text for the engine.

use std::fmt::Write as _;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// The last code point.
const LAST: u32 = 0x10_FFFF;

/// The characters that have another case in Unicode 15.0, Go's version. Those taken out have one only since.
const CASED: &str = r"[[\p{changes_when_casemapped}&&\p{age=15.0}]--[\x{19B}\x{264}\x{390}\x{3B0}\x{1FD3}\x{1FE3}\x{FB05}\x{FB06}]]";

/// A set of code points. Surrogates count as code points like in Go, although no text contains one: a set that stopped
/// at their edges would be negated wrongly by the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CharSet {
    ranges: Vec<(u32, u32)>,
}

impl CharSet {
    pub(super) fn of(ranges: &[(u32, u32)]) -> Self {
        Self { ranges: ranges.to_vec() }
    }

    pub(super) fn single(code: u32) -> Self {
        Self::of(&[(code, code)])
    }

    pub(super) fn everything() -> Self {
        Self::of(&[(0, LAST)])
    }

    /// Looks a class up in the engine's tables.
    pub(super) fn query(class: &str) -> Option<Self> {
        match regex_syntax::parse(class).ok()?.into_kind() {
            HirKind::Class(Class::Unicode(class)) => Some(Self::from_class(&class)),
            // A class of one character comes back as that character.
            HirKind::Literal(literal) => {
                let only = str::from_utf8(&literal.0).ok()?.chars().next()?;
                Some(Self::single(u32::from(only)))
            }
            _ => None,
        }
    }

    fn from_class(class: &ClassUnicode) -> Self {
        Self {
            ranges: class
                .iter()
                .map(|range| (u32::from(range.start()), u32::from(range.end())))
                .collect(),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.ranges.extend_from_slice(&other.ranges);
    }

    /// How many ranges were added.
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The same set with its ranges sorted and apart.
    fn sorted(mut self) -> Self {
        self.ranges.sort_unstable();
        let mut sorted: Vec<(u32, u32)> = Vec::with_capacity(self.ranges.len());
        for (low, high) in self.ranges {
            match sorted.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => sorted.push((low, high)),
            }
        }
        Self { ranges: sorted }
    }

    pub(super) fn negated(self) -> Self {
        let mut negated = Self::default();
        let mut next = 0;
        for (low, high) in self.sorted().ranges {
            if next < low {
                negated.ranges.push((next, low - 1));
            }
            next = high + 1;
        }
        if next <= LAST {
            negated.ranges.push((next, LAST));
        }
        negated
    }

    /// The set with everything that differs from a member in case only.
    pub(super) fn folded(mut self) -> Self {
        let other_cases = if self.is_ascii() { Some(self.ascii_cases()) } else { self.cases() };
        // They can be missing only if the engine is built without its Unicode tables.
        self.add(&other_cases.unwrap_or_default());
        self.sorted()
    }

    fn is_ascii(&self) -> bool {
        self.ranges.iter().all(|&(_, high)| high < 0x80)
    }

    fn contains(&self, code: u32) -> bool {
        self.ranges.iter().any(|&(low, high)| (low..=high).contains(&code))
    }

    /// Both cases of the members; the letters K and S have a third one each.
    fn ascii_cases(&self) -> Self {
        let mut cases = Self::default();
        for (upper, lower) in ('A'..='Z').zip('a'..='z') {
            let (upper, lower) = (u32::from(upper), u32::from(lower));
            if self.contains(upper) || self.contains(lower) {
                cases.ranges.extend([(upper, upper), (lower, lower)]);
                match upper {
                    0x4B => cases.ranges.push((0x212A, 0x212A)),
                    0x53 => cases.ranges.push((0x17F, 0x17F)),
                    _ => {}
                }
            }
        }
        cases
    }

    /// All cases of the members that have more than one.
    fn cases(&self) -> Option<Self> {
        let foldable = ClassUnicode::new(Self::query(CASED)?.chars());
        let mut cases = ClassUnicode::new(self.chars());
        cases.intersect(&foldable);
        cases.try_case_fold_simple().ok()?;
        cases.intersect(&foldable);
        Some(Self::from_class(&cases))
    }

    /// The ranges that a text can contain: surrogates are cut off.
    fn chars(&self) -> impl Iterator<Item = ClassUnicodeRange> {
        self.ranges.iter().filter_map(|&(low, high)| {
            let low = if (0xD800..0xE000).contains(&low) { 0xE000 } else { low };
            let high = if (0xD800..0xE000).contains(&high) { 0xD7FF } else { high };
            let (low, high) = (char::from_u32(low)?, char::from_u32(high)?);
            (low <= high).then(|| ClassUnicodeRange::new(low, high))
        })
    }

    /// Appends the set as the engine reads it.
    pub(super) fn write_to(&self, out: &mut String) {
        let sorted = self.clone().sorted();
        let mut ranges = sorted.chars().peekable();
        if ranges.peek().is_none() {
            out.push_str("[a&&b]"); // matches nothing
            return;
        }
        out.push('[');
        for range in ranges {
            write_char(range.start(), out);
            if range.start() < range.end() {
                out.push('-');
                write_char(range.end(), out);
            }
        }
        out.push(']');
    }
}

/// Appends a character without any meaning it may have for the engine.
pub(super) fn write_char(text: char, out: &mut String) {
    if text.is_ascii() && !text.is_ascii_alphanumeric() {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{:02X}", u32::from(text));
    } else {
        out.push(text);
    }
}
