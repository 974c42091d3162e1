//! When the source confirmed the flags that are served, as an archive tells it over a restart and from one to another.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, info};
use vexilla_domain::{Confirmation, FlagArchive, Marker, Revision};

use crate::published::millis;
use crate::refresh::Refresher;

/// Without news for so many intervals, whoever asks the source has not had an answer. Two in a row may be without any
/// where all goes well: each comes at its own time, give or take 10 %.
const PATIENCE: (u32, u32) = (5, 2);

/// What is known of an archive.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What was loaded or saved last.
    seen: Option<Seen>,
    /// What stands in the archive for the flags that are served, if they are there.
    served: Option<Confirmation>,
    /// When the source confirmed the flags last, for as long as that is not archived.
    unconfirmed: Option<u64>,
    /// What somebody else has said last, and since when it has said nothing new.
    heard: Option<(Confirmation, Instant)>,
    /// Since when it is listened to.
    listens_since: Option<Instant>,
    /// Whether what the archive holds could not be told.
    is_deaf: bool,
    /// Whether the source was asked here since nobody says anything new.
    pub(crate) is_alone: bool,
}

/// Flags that were read.
#[derive(Debug, Clone, Copy)]
struct Seen {
    flags: Confirmation,
    worth: Worth,
}

/// What archived flags are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// They are flags of our source.
    Ours,
    /// They are of another source, or cannot be read.
    Nothing,
}

/// What can be said of archived flags without reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are those that are served.
    Served,
    /// They were read before, and do not say what to serve.
    Useless,
    /// They have to be read.
    Unread,
}

impl Known {
    /// Flags were read from the archive.
    pub(crate) fn read(&mut self, flags: Confirmation, worth: Worth) {
        self.seen = Some(Seen { flags, worth });
    }

    /// Flags that are served are in the archive, just as these.
    pub(crate) fn is_archived(&mut self, flags: Confirmation) {
        self.read(flags, Worth::Ours);
        self.served = Some(flags);
        self.unconfirmed = None;
    }

    /// Whether the archive has what is served as this revision.
    pub(crate) fn has(&self, revision: Revision) -> bool {
        self.served.is_some_and(|it| it.revision == revision)
    }

    /// Flags that were read are to be read once more.
    pub(crate) fn forget(&mut self) {
        self.seen = None;
    }

    /// Whether the archive told what it holds when it was asked last.
    pub(crate) fn answers(&self) -> bool {
        !self.is_deaf
    }

    /// The archive was asked what it holds.
    pub(crate) fn answered<T, E>(&mut self, told: &Result<T, E>) {
        self.is_deaf = told.is_err();
        self.listens_since.get_or_insert_with(Instant::now);
    }

    /// The source has confirmed the flags.
    pub(crate) fn source_confirmed(&mut self, at_ms: u64) {
        self.unconfirmed = Some(at_ms);
    }

    /// Whether somebody else has ever said when it last had an answer.
    pub(crate) fn hears(&self) -> bool {
        self.heard.is_some()
    }

    /// What these flags are to somebody who serves this revision, of flags that the source knows by this marker.
    pub(crate) fn verdict(
        &self,
        told: &Confirmation,
        revision: Revision,
        marker: Option<&Marker>,
    ) -> Verdict {
        let worth = self.seen.filter(|it| it.flags.is_of_same_flags(told)).map(|it| it.worth);
        let is_served = self.has(revision)
            && self.served.is_some_and(|it| it.is_of_same_flags(told))
            || told.revision <= revision && marker.is_some_and(|it| it.content == told.content);
        match worth {
            None => Verdict::Unread,
            Some(Worth::Ours) if is_served => Verdict::Served,
            Some(Worth::Ours) if revision < told.revision => Verdict::Unread,
            // While all ask for themselves they count alike, and may have seen different things.
            Some(Worth::Ours | Worth::Nothing) => Verdict::Useless,
        }
    }
}

impl Refresher {
    /// Counts what somebody else has heard of the source: its confirmations are ours, of the time that it says, and never of
    /// one that is still to come here.
    pub(crate) fn hear(&mut self, told: &Confirmation) {
        let published = self.shared.cell.load();
        let (instant, now) = (Instant::now(), millis(self.parts.clock.now()));
        let patience = self.patience();
        let at_ms = told.refreshed_at_ms.min(now);
        let since = match self.known.heard {
            Some((before, since)) if before == *told => since,
            Some(_) => instant,
            None => {
                let age = Duration::from_millis(now.saturating_sub(at_ms));
                let long_ago = || instant.checked_sub(patience);
                instant.checked_sub(age).or_else(long_ago).unwrap_or(instant)
            }
        };
        let is_news = self.known.heard.is_none_or(|(before, _)| before != *told);
        self.known.heard = Some((*told, since));
        if is_news {
            // Another one's clock may be behind: what was confirmed once is no older for it.
            let at_ms = at_ms.max(published.freshness().refreshed_at_ms.min(now));
            published.confirmed_at(at_ms);
            if self.shared.counts.heard() > 0 {
                info!("the source answers, as another instance says");
            }
            self.expire_from(&published, at_ms);
        }
    }

    /// Whether nobody has said anything new for so long that the source is to be asked here: then whoever asks it has no
    /// answer, or cannot pass it on. Looks come at their own times, so not all who follow ask at once, and the first one
    /// that has an answer tells the others.
    pub(crate) fn is_left_alone(&self) -> bool {
        let heard = self.known.heard.map(|(_, since)| since);
        let since = heard.or(self.known.listens_since);
        since.is_some_and(|it| self.patience() <= it.elapsed())
    }

    fn patience(&self) -> Duration {
        self.config.refresh_interval.saturating_mul(PATIENCE.0) / PATIENCE.1
    }

    /// Archives that the source has confirmed what is archived. Where the archive has lost it, it is to be saved again.
    pub(crate) async fn archive_confirmation(&mut self, archive: &Arc<dyn FlagArchive>) {
        let revision = self.shared.cell.load().revision;
        let (Some(served), Some(at_ms)) = (self.known.served, self.known.unconfirmed) else {
            return;
        };
        if served.revision != revision || !(self.known.is_alone || archive.leads().await) {
            return;
        }
        let confirmation = Confirmation { refreshed_at_ms: at_ms, ..served };
        match archive.confirm(&confirmation).await {
            Ok(true) => {
                self.known.is_archived(confirmation);
                self.archived_again(archive.as_ref());
                if let Some((heard, _)) = &mut self.known.heard {
                    *heard = confirmation; // which is no news here
                }
            }
            Ok(false) => {
                debug!(archive = archive.describe(), "the archive does not hold what is served");
                self.known.served = None;
                self.save_again();
                if self.anew {
                    self.due = Instant::now();
                }
            }
            Err(error) => self.not_archived(archive.as_ref(), &error),
        }
    }
}
