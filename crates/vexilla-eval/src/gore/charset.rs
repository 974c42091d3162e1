//! Sets of characters: union, negation, case folding, and their text for the engine.

use std::fmt::Write as _;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// The last code point.
const LAST: u32 = 0x10_FFFF;

/// Characters that have another case only since a later Unicode version than Go's 15.0.
const FOLDED_SINCE: &[(u32, u32)] = &[
    (0x19B, 0x19B),
    (0x264, 0x264),
    (0x390, 0x390),
    (0x3B0, 0x3B0),
    (0x1C89, 0x1C8A),
    (0x1FD3, 0x1FD3),
    (0x1FE3, 0x1FE3),
    (0xA7CB, 0xA7CD),
    (0xA7DA, 0xA7DC),
    (0xFB05, 0xFB06),
    (0x1_0D50, 0x1_0D65),
    (0x1_0D70, 0x1_0D85),
];

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

    pub(super) fn from_class(class: &ClassUnicode) -> Self {
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
        let mut class = ClassUnicode::new(self.without(FOLDED_SINCE).chars());
        // Fails only without the engine's folding tables, and they are part of its default features.
        if class.try_case_fold_simple().is_ok() {
            self.add(&Self::from_class(&class).without(FOLDED_SINCE));
        }
        self.sorted()
    }

    fn without(&self, taken: &[(u32, u32)]) -> Self {
        let mut kept = self.clone().negated();
        kept.ranges.extend_from_slice(taken);
        kept.negated()
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
impl CharSet { pub(crate) fn codes_for_test(&self) -> Vec<u32> { self.ranges.iter().flat_map(|r| r.0..=r.1).collect() } }
