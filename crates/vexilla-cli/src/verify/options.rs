//! What a run may do.

/// How much is asked, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// How many cases are decided on both sides.
    pub(crate) cases: u64,
    /// Which cases; the same number gives the same ones for the same flags.
    pub(crate) seed: u64,
    /// How many cases Flagr is asked in a second at most; `None` for as many as it answers.
    pub(crate) rate: Option<u32>,
    /// How many entities one request asks for.
    pub(crate) batch: usize,
    /// Whether flags are asked for whose evaluations Flagr records.
    pub(crate) recorded_flags: RecordedFlags,
}

/// What becomes of flags whose evaluations Flagr records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordedFlags {
    /// They are left alone: each case would be a record.
    Skip,
    /// They are asked for; the records are wanted, or do no harm.
    Include,
}

impl Default for Options {
    fn default() -> Self {
        Self { cases: 10_000, seed: 1, rate: None, batch: 100, recorded_flags: RecordedFlags::Skip }
    }
}
