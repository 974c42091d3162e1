//! What comes of a segment.

/// What one segment's constraints come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Match,
    NoMatch,
    Error,
    NoContext,
}

impl Outcome {
    /// In the words of the recordings.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no match",
            Self::Error => "error",
            Self::NoContext => "no context",
        }
    }
}
