//! What flags that were read prove, and what their marker may say.
//!
//! The export that is read after the probe said `M` may be older than `M` (see `lag`). If the marker said `M` then, the
//! next fetch would find `M` again, believe that nothing changed, and the change would be lost. So the marker says a
//! number only if the flags are known to hold every change up to it. They are, when
//!
//! 1. **a flag carries `M` or more.** Flagr loads everything at once, so whoever has that change has those before it.
//!    The marker then says the number that was found. If that is more than `M`, the next probe will say it too.
//! 2. **the lag has passed** between the first time that the probe said `M` and the request for the export. This is how
//!    a deletion gets through, and a change that a filter keeps from us: no flag ever carries its number. The marker
//!    says `M`, so it is looked for a few times and not for ever.
//!
//! As long as neither holds, the flags are handed out as they are, the marker says the number that is proven, and the
//! caller is to ask again.
//!
//! **A number that falls or is gone says nothing by itself:** Flagr answers 0 when its database fails, and a request may
//! end at a replica that lags behind. A fall is looked at a second time after the flags were read. When it is confirmed,
//! somebody has restored a backup; but an export from before that still carries larger numbers, so a flag must carry
//! exactly `M`, or the lag must have passed. Until then nothing changes at all: whoever sees the number fall starts
//! another history with the flags that come with it, so they must be the right ones. They come with it in any case,
//! since the caller may have merged them with those of before.
//!
//! The REST list is read from the database. It has no lag; it holds what the probe said before it was asked for.

use std::time::Duration;

use vexilla_domain::Marker;

use crate::reading::Shows;

/// What the probe said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probed {
    /// Before the flags were read; `None` when it had no number to tell.
    pub(crate) before: Option<u64>,
    /// The last word: after the flags were read where it was asked a second time, else the same.
    pub(crate) last: Option<u64>,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) seen: Option<&'a Marker>,
    pub(crate) probed: Probed,
    pub(crate) shows: Shows,
    pub(crate) content: u64,
}

/// What it proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The flags hold every change up to this one.
    Holds(Option<u64>),
    /// They hold every change up to this one, and a further one is known that they may not hold.
    Behind(Option<u64>),
    /// They are those of another history, up to this change of it.
    Fell(Option<u64>),
    /// They may be those of another history, or the probe was wrong: nothing is known.
    Doubtful,
}

impl Evidence<'_> {
    /// The number that the caller's flags hold.
    fn held(&self) -> Option<u64> {
        self.seen.and_then(|it| it.max_snapshot_id)
    }

    /// Whether the number fell, or is gone together with flags that looked newer: this is to be asked of another memory
    /// of times than a number that rose.
    pub(crate) fn is_doubted(&self) -> bool {
        match (self.held(), self.probed.last) {
            (Some(held), Some(number)) => number < held,
            (Some(held), None) => {
                !self.is_same() && matches!(self.shows, Shows::UpTo(it) if it < held)
            }
            (None, _) => false,
        }
    }

    /// Judges. `left` is how long flags that lag may still have been behind the last number (0 where there is none).
    pub(crate) fn judge(&self, left: Duration) -> Verdict {
        match (self.shows, self.is_doubted()) {
            (Shows::UpTo(carried), true) => match self.probed.last {
                Some(number) if number == carried || left.is_zero() => Verdict::Fell(Some(number)),
                None if left.is_zero() => Verdict::Fell(None),
                _ => Verdict::Doubtful,
            },
            (Shows::UpTo(carried), false) => self.judge_export(carried, left),
            // The list was read between the two: falling further, it may be of before.
            (Shows::Everything, true) if self.probed.last < self.probed.before => Verdict::Doubtful,
            (Shows::Everything, true) => Verdict::Fell(self.probed.before),
            (Shows::Everything, false) => self.judge_list(),
        }
    }

    fn judge_export(&self, carried: u64, left: Duration) -> Verdict {
        let held = self.held();
        let Some(number) = self.probed.last else {
            // A server without numbers stays one. Where the number is only gone, it is not lost for that.
            return Verdict::Holds(held.map(|it| it.max(carried)));
        };
        let known = held.max(Some(carried)).filter(|it| *it != 0);
        let arrived = number <= carried || (held == Some(number) && self.is_same());
        match (arrived, left) {
            (true, _) => Verdict::Holds(known),
            (false, Duration::ZERO) => Verdict::Holds(Some(number)),
            (false, _) => Verdict::Behind(known),
        }
    }

    fn judge_list(&self) -> Verdict {
        let held = self.held();
        let Probed { before, last } = self.probed;
        match before {
            None => Verdict::Holds(held),
            // The first probe was wrong, so it proves nothing.
            Some(_) if before < held && held < last => Verdict::Behind(held),
            Some(_) if before < held => Verdict::Holds(held),
            Some(_) => Verdict::Holds(before),
        }
    }

    /// Whether the flags are those that the caller has.
    pub(crate) fn is_same(&self) -> bool {
        self.seen.is_some_and(|it| it.content == self.content)
    }
}

#[cfg(test)]
mod tests;
