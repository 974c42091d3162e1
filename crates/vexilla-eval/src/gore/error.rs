//! Why a pattern cannot be used.

/// A pattern that Flagr rejects, or one that only we do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum PatternError {
    /// Go rejects the pattern, so Flagr treats the constraint as an error. The text is Go's own, behind its
    /// "error parsing regexp: ".
    #[error("{complaint}: `{text}`")]
    Rejected {
        /// What is wrong.
        complaint: Complaint,
        /// The offending part of the pattern.
        text: String,
    },
    /// The pattern asks for more than we are willing to spend; Flagr may well accept it.
    #[error("pattern may be valid for Flagr but exceeds a limit of Vexilla: {0}")]
    Limit(Limit),
    /// Our translation is not accepted by the engine. No such pattern is known.
    #[error("pattern may be valid for Flagr but has no translation")]
    Untranslated(#[source] regex::Error),
}

/// What Go's parser says about a pattern.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub(crate) enum Complaint {
    #[error("invalid character class range")]
    ClassRange,
    #[error("invalid escape sequence")]
    Escape,
    #[error("invalid named capture")]
    NamedCapture,
    #[error("invalid or unsupported Perl syntax")]
    PerlSyntax,
    #[error("invalid nested repetition operator")]
    NestedRepetition,
    #[error("invalid repeat count")]
    RepeatCount,
    #[error("invalid UTF-8")]
    Utf8,
    #[error("missing closing ]")]
    MissingBracket,
    #[error("missing closing )")]
    MissingParen,
    #[error("missing argument to repetition operator")]
    MissingArgument,
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    #[error("unexpected )")]
    UnexpectedParen,
    #[error("expression nests too deeply")]
    NestsTooDeeply,
    #[error("expression too large")]
    TooLarge,
}

impl Complaint {
    /// The error that points this complaint at a part of the pattern.
    pub(super) fn about(self, text: &str) -> PatternError {
        PatternError::Rejected { complaint: self, text: text.to_owned() }
    }
}

/// A limit of ours that Go does not have.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub(crate) enum Limit {
    #[error("longer than {} bytes", super::MAX_LENGTH)]
    Length,
    #[error("nested deeper than {} levels", super::MAX_DEPTH)]
    Depth,
    #[error("character classes with too many ranges")]
    Classes,
    #[error("compiles to more than {} bytes", super::MAX_PROGRAM)]
    Program,
}
