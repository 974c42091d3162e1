//! Patterns at evaluation: compiled ones, and what is wrong with those that cannot be.

use std::borrow::Cow;
use std::str::Utf8Chunk;

use regex::Regex;

use crate::go_print::Quoted;
use crate::gore::{self, PatternError};

/// A pattern out of a condition.
#[derive(Debug)]
pub(crate) struct Pattern(Result<Regex, Complaint>);

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// Flagr takes the condition and fails whenever it applies it, and so do we. Flagr's words.
    NeverMatches(Box<str>),
    /// Flagr may well apply it, and we cannot.
    Undecidable(Box<str>),
}

/// The longest pattern that is compiled for a single evaluation, in bytes: whoever sends a context must not be able to
/// make an evaluation slow.
const MAX_DYNAMIC: usize = 256;

impl Pattern {
    pub(crate) fn compile(text: &[u8]) -> Self {
        Self(gore::compile(text).map_err(|error| {
            let text = String::from_utf8_lossy(text);
            let text = Quoted(&text);
            match error {
                PatternError::Rejected { .. } => Complaint::NeverMatches(
                    format!("invalid regex pattern {text}: error parsing regexp: {error}").into(),
                ),
                PatternError::Limit(_) | PatternError::Untranslated(_) => {
                    Complaint::Undecidable(format!("regex pattern {text}: {error}").into())
                }
            }
        }))
    }

    pub(crate) fn complaint(&self) -> Option<&Complaint> {
        self.0.as_ref().err()
    }

    /// Whether a text holds a match, or what is wrong with the pattern.
    pub(crate) fn is_match(&self, text: &[u8]) -> Result<bool, &str> {
        match &self.0 {
            Ok(regex) => Ok(regex.is_match(&readable(text))),
            Err(Complaint::NeverMatches(words) | Complaint::Undecidable(words)) => Err(words),
        }
    }
}

/// Whether a text holds a match of a pattern that the context brought. `None` for a pattern that Flagr rejects, or that
/// is longer than 256 bytes. The only thing in an evaluation that allocates.
pub(crate) fn is_dynamic_match(pattern: &[u8], text: &[u8]) -> Option<bool> {
    let pattern = Some(pattern).filter(|it| it.len() <= MAX_DYNAMIC)?;
    gore::compile(pattern).ok().map(|regex| regex.is_match(&readable(text)))
}

/// The text as Go's matcher reads it: each byte that is no UTF-8 is one U+FFFD. Only a literal's escapes make such bytes.
fn readable(text: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let replaced =
                |it: Utf8Chunk<'_>| it.valid().to_owned() + &"\u{FFFD}".repeat(it.invalid().len());
            Cow::Owned(text.utf8_chunks().map(replaced).collect())
        }
    }
}
