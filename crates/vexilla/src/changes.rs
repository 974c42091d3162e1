//! What changed, for those who want to know.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use vexilla_domain::Revision;
use vexilla_eval::{CompiledFlag, Ruleset};

use crate::published::Published;

/// What a publication of the rules changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The publication.
    pub revision: Revision,
    /// Keys of flags that were not there before.
    pub added: Vec<Box<str>>,
    /// Keys of flags that have another definition than before.
    pub changed: Vec<Box<str>>,
    /// Keys of flags that are not there any more: deleted, or filtered out.
    pub removed: Vec<Box<str>>,
    /// Keys of flags that are in error, whether they were before or not.
    pub quarantined: Vec<Box<str>>,
    /// How many publications before this one were missed because they were not taken in time. What they changed is not
    /// told again: a reader that must know looks at the flags.
    pub missed: u64,
}

/// A stream of what each publication changes. Got from [`Client::subscribe`](crate::Client::subscribe).
///
/// The last 64 are kept for a reader. One that is slower misses the oldest, and is told how many.
#[derive(Debug)]
pub struct Changes {
    receiver: broadcast::Receiver<Change>,
}

impl Changes {
    /// The next change; `None` when the client is gone.
    pub async fn next(&mut self) -> Option<Change> {
        let mut missed = 0;
        loop {
            match self.receiver.recv().await {
                Ok(change) => return Some(Change { missed, ..change }),
                Err(RecvError::Lagged(count)) => missed += count,
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Where changes are told.
#[derive(Debug)]
pub(crate) struct Feed(broadcast::Sender<Change>);

const KEPT: usize = 64;

impl Feed {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    pub(crate) fn subscribe(&self) -> Changes {
        Changes { receiver: self.0.subscribe() }
    }

    /// Tells what is different. Finding out costs a look at each flag, so it is done for listeners only.
    pub(crate) fn tell(&self, previous: &Published, now: &Published) {
        if self.0.receiver_count() > 0 {
            let _ = self.0.send(difference(previous, now)); // the last listener may have gone just now
        }
    }
}

fn difference(previous: &Published, now: &Published) -> Change {
    let key = |it: &CompiledFlag| it.head().key.clone();
    let version = |rules: &Ruleset, key: &str| rules.by_key(key).map(CompiledFlag::fingerprint);
    let (before, after) = (&previous.ruleset, &now.ruleset);
    let mut change = Change {
        revision: now.revision,
        added: Vec::new(),
        changed: Vec::new(),
        removed: Vec::new(),
        quarantined: now.quarantined(),
        missed: 0,
    };
    for flag in after.flags() {
        match version(before, &flag.head().key) {
            None => change.added.push(key(flag)),
            Some(known) if known != flag.fingerprint() => change.changed.push(key(flag)),
            Some(_) => {}
        }
    }
    let gone = before.flags().filter(|it| version(after, &it.head().key).is_none());
    change.removed.extend(gone.map(key));
    change
}
