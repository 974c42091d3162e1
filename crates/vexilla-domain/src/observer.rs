//! What the outer parts measure, and who is told of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Takes counts and measurements that a client's [`Stats`](crate::Stats) do not hold.
///
/// Evaluations are not told one by one: a client counts them itself, and whoever shows the counts reads its statistics.
/// An observer is called where the work is done, so each method must return at once. Every method does nothing unless
/// it is written, as in `()`.
#[expect(unused_variables, reason = "the names are for those who write the methods")]
pub trait Observer: fmt::Debug + Send + Sync {
    /// A refresh ended.
    fn refreshed(&self, outcome: RefreshOutcome, took: Duration) {}

    /// Flagr was asked for an evaluation, or for a batch of them, or would have been.
    fn remote_evaluated(&self, outcome: RemoteOutcome, took: Duration) {}

    /// An answer of Flagr was looked for among those kept.
    fn cache_read(&self, read: CacheRead) {}

    /// One of many evaluations was measured. Told only where [`wants_samples`](Self::wants_samples).
    fn evaluation_sampled(&self, took: Duration) {}

    /// Whether evaluations are to be measured now and then. Asked once, when a client starts; not, unless it is written.
    fn wants_samples(&self) -> bool {
        false
    }

    /// The breaker before Flagr changed its state.
    fn breaker_changed(&self, from: BreakerState, to: BreakerState) {}

    /// A save into the archive ended.
    fn archived(&self, outcome: ArchiveOutcome, took: Duration) {}

    /// Somebody called the webhook.
    fn webhook_received(&self, outcome: WebhookOutcome) {}
}

impl Observer for () {}

/// Tells several observers, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Fanout(Vec<Arc<dyn Observer>>);

impl Fanout {
    /// Tells these, in this order.
    pub fn new(observers: impl IntoIterator<Item = Arc<dyn Observer>>) -> Self {
        Self(observers.into_iter().collect())
    }

    fn tell(&self, tell: impl Fn(&dyn Observer)) {
        self.0.iter().for_each(|it| tell(it.as_ref()));
    }
}

impl Observer for Fanout {
    fn refreshed(&self, outcome: RefreshOutcome, took: Duration) {
        self.tell(|it| it.refreshed(outcome, took));
    }

    fn remote_evaluated(&self, outcome: RemoteOutcome, took: Duration) {
        self.tell(|it| it.remote_evaluated(outcome, took));
    }

    fn cache_read(&self, read: CacheRead) {
        self.tell(|it| it.cache_read(read));
    }

    fn evaluation_sampled(&self, took: Duration) {
        self.tell(|it| it.evaluation_sampled(took));
    }

    fn wants_samples(&self) -> bool {
        self.0.iter().any(|it| it.wants_samples())
    }

    fn breaker_changed(&self, from: BreakerState, to: BreakerState) {
        self.tell(|it| it.breaker_changed(from, to));
    }

    fn archived(&self, outcome: ArchiveOutcome, took: Duration) {
        self.tell(|it| it.archived(outcome, took));
    }

    fn webhook_received(&self, outcome: WebhookOutcome) {
        self.tell(|it| it.webhook_received(outcome));
    }
}

/// A closed set of words, each with the text that it is shown as.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$word_doc])* $word,)+ }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The word in lower case, as metrics show it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)+ }
            }
        }
    };
}

words! {
    /// What came of a refresh. There will be no further outcomes.
    RefreshOutcome {
        /// Other flags are served now.
        Changed = "changed",
        /// The source has the flags that were there.
        Unchanged = "unchanged",
        /// The source failed; the flags that were there are served on.
        Failed = "failed",
    }
}

words! {
    /// What came of asking Flagr. There will be no further outcomes.
    RemoteOutcome {
        /// Flagr answered.
        Answered = "answered",
        /// Flagr did not answer, or not as it should.
        Failed = "failed",
        /// The breaker did not let the call through.
        Refused = "refused",
    }
}

words! {
    /// What a look among Flagr's earlier answers found. There will be no further outcomes.
    CacheRead {
        /// An answer that still counts.
        Hit = "hit",
        /// An answer past its time, used since Flagr could not be asked.
        Stale = "stale",
        /// None.
        Miss = "miss",
    }
}

words! {
    /// The state of the breaker before Flagr. There will be no further states.
    BreakerState {
        /// Calls are made.
        Closed = "closed",
        /// Calls are refused.
        Open = "open",
        /// One call finds out.
        HalfOpen = "half-open",
    }
}

words! {
    /// What came of a save. There will be no further outcomes.
    ArchiveOutcome {
        /// The flags are saved.
        Saved = "saved",
        /// The archive holds later ones and keeps those.
        Superseded = "superseded",
        /// They could not be saved.
        Failed = "failed",
    }
}

words! {
    /// What came of a call of the webhook. There will be no further outcomes.
    WebhookOutcome {
        /// It is a notice, and is followed.
        Accepted = "accepted",
        /// It says nothing new.
        Ignored = "ignored",
        /// Its credential is wrong, missing, or too old.
        Unauthorized = "unauthorized",
        /// It cannot be read.
        Malformed = "malformed",
        /// It is larger than the limit.
        TooLarge = "too_large",
        /// It was not taken in: too slow, too many at once, or a fault here.
        Failed = "failed",
    }
}

#[cfg(test)]
mod tests;
