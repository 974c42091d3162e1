//! A reading position in a pattern.

/// Walks over a pattern. Cheap to copy, so that a caller can look ahead and come back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'p> {
    pattern: &'p str,
    at: usize,
}

impl<'p> Cursor<'p> {
    pub(super) fn new(pattern: &'p str) -> Self {
        Self { pattern, at: 0 }
    }

    /// Takes the next character.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes `text` if it comes next, and says whether it did.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes everything before `end` and `end` itself, and returns what was before it; nothing happens without an `end`.
    pub(super) fn take_until(&mut self, end: &str) -> Option<&'p str> {
        let (text, _) = self.rest().split_once(end)?;
        self.at += text.len() + end.len();
        Some(text)
    }

    /// Takes the rest of the pattern.
    pub(super) fn take_rest(&mut self) -> &'p str {
        let rest = self.rest();
        self.at = self.pattern.len();
        rest
    }

    /// Takes the characters for which `wanted` holds.
    pub(super) fn take_while(&mut self, wanted: fn(char) -> bool) -> &'p str {
        let start = *self;
        while self.peek().is_some_and(wanted) {
            self.next();
        }
        self.since(start)
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn rest(&self) -> &'p str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    pub(super) fn pattern(&self) -> &'p str {
        self.pattern
    }

    /// What was taken since the cursor was at `start`.
    pub(super) fn since(&self, start: Self) -> &'p str {
        self.pattern.get(start.at..self.at).unwrap_or_default()
    }
}
