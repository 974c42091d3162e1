//! Go's regular expressions.
//!
//! Flagr matches with Go's `regexp`. Its syntax is close to that of the crate `regex`, but the same text can mean
//! something else or nothing, so a pattern is read as Go reads it and rewritten with what both agree on.
//! What is left out: captures and greed, which do not change whether a text matches.

use regex::{Regex, RegexBuilder};

use self::error::{Complaint, Limit};

mod charset;
mod class;
mod cursor;
mod error;
mod flags;
mod names;
mod translate;
mod weight;

#[cfg(test)]
mod tests;

pub(crate) use error::PatternError;

/// The longest pattern we compile, in bytes: what Flagr's column for it holds.
const MAX_LENGTH: usize = 65_535;

/// How deep sequences, alternatives and repeats may nest. The engine compiles by recursion: this many levels take less
/// than 1 MB of stack without optimisation. Groups alone are free.
const MAX_DEPTH: u32 = 100;

/// The largest text that we hand to the engine, in bytes. Only Unicode classes make it long.
const MAX_TRANSLATION: usize = 4 << 20;

/// The largest compiled pattern, in bytes: a thousand letters (`\pL{1000}`) fit.
const MAX_PROGRAM: usize = 40 << 20;

/// Compiles a pattern as Go would; the result matches exactly the texts that Go's does.
///
/// One defect of Go is not copied: `^\x{D800}` matches U+FFFD there, because half of a surrogate pair turns into that
/// character in a shortcut for plain beginnings.
pub(crate) fn compile(pattern: &[u8]) -> Result<Regex, PatternError> {
    if pattern.len() > MAX_LENGTH {
        return Err(PatternError::Limit(Limit::Length));
    }
    let Ok(pattern) = str::from_utf8(pattern) else {
        return Err(Complaint::Utf8.about(&String::from_utf8_lossy(pattern)));
    };
    let translation = translate::translate(pattern)?;
    RegexBuilder::new(&translation)
        .size_limit(MAX_PROGRAM)
        .nest_limit(u32::MAX) // groups without any depth to them; what costs stack was checked
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => PatternError::Limit(Limit::Program),
            other => PatternError::Untranslated(other),
        })
}
