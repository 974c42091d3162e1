//! The last good flags over a restart, and what others have archived.

use std::pin::Pin;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::{Instrument, debug, info, warn};
use vexilla_domain::json::WrittenRows;
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, ArchiveOutcome, Archived, Depth, FlagArchive, Marker, Progress,
    Revision, with_causes,
};

use crate::confirmations::{Verdict, Worth};
use crate::export::Written;
use crate::publication::{Scope, Text};
use crate::published::{Published, millis};
use crate::refresh::{Refreshed, Refresher};
use crate::requests::Work;
use crate::span::{failed, span, within};

/// After so many failed looks in a row somebody else may try.
const LOOKS: u32 = 3;

/// Rules that are to be archived, with the definitions they were made of.
#[derive(Debug, Clone)]
pub(crate) struct Unsaved {
    published: Arc<Published>,
    definitions: Arc<Written>,
    marker: Marker,
}

impl Unsaved {
    pub(crate) fn new(published: Arc<Published>, definitions: Written, marker: Marker) -> Self {
        Self { published, definitions: Arc::new(definitions), marker }
    }
}

impl Refresher {
    /// Whether it is for this process to ask the source.
    pub(crate) async fn leads(&self) -> bool {
        match &self.parts.archive {
            None => true,
            Some(archive) => archive.leads().await,
        }
    }

    /// Lets somebody else ask the source, each time that several looks in a row have failed here.
    pub(crate) async fn step_back(&self) {
        let failures = self.shared.counts.consecutive_failures();
        if let Some(archive) = &self.parts.archive
            && failures > 0
            && failures.is_multiple_of(LOOKS)
        {
            archive.step_back().await;
        }
    }

    /// Takes part in what several share: who follows goes by what is archived, and looks for itself where somebody wants
    /// that, where the archive says nothing, or nothing new for too long. Who leads is told of news when somebody else has
    /// asked the source, or has ceased to: it looks anyway.
    pub(crate) async fn go_by_archive(&mut self, work: &mut Work) -> Refreshed {
        let leads = self.leads().await;
        // Flags that were read one by one are ahead of what anybody has archived.
        let is_ahead = !self.fresh.is_empty() || !self.gone.is_empty();
        let asks_archive = !is_ahead && (work.load || !leads);
        let followed = if asks_archive { self.follow(leads).await } else { None };
        let goes_by_it = followed.is_some() && !leads && self.known.answers();
        self.known.is_alone = !leads && self.is_left_alone();
        if !goes_by_it || self.known.is_alone {
            work.look = work.look.or(Some(Depth::Probe));
        } else if work.look.is_none() {
            self.again_in = None;
        }
        followed.unwrap_or(Refreshed::Unchanged)
    }

    /// Serves what the archive holds, if that is newer. `None` where it holds nothing that says what to serve. Who follows
    /// counts the confirmations of the one that leads as its own.
    pub(crate) async fn follow(&mut self, leads: bool) -> Option<Refreshed> {
        let archive = Arc::clone(self.parts.archive.as_ref()?);
        // What was read before is not read again: there may be megabytes of it.
        let told = archive.held().await;
        self.known.answered(&told);
        let told = told.ok().flatten();
        let revision = self.shared.cell.load().revision;
        let verdict = told.map(|it| self.known.verdict(&it, revision, self.marker.as_ref()));
        let (held, followed) = match (told, verdict) {
            (Some(told), Some(Verdict::Served)) => {
                self.weigh(told.revision, leads);
                (Some(told), Some(Refreshed::Unchanged))
            }
            (Some(told), Some(Verdict::Useless)) => {
                self.weigh(told.revision, leads);
                (None, None)
            }
            (told, _) => {
                let loaded = within(span!("archive_load"), archive.load()).await;
                let archived = match loaded {
                    Ok(archived) => archived,
                    Err(error) => {
                        let place = archive.describe();
                        warn!(
                            "the archived flags of {place} cannot be read: {}",
                            with_causes(&error)
                        );
                        return None;
                    }
                };
                self.weigh(archived.as_ref().map_or(Revision::default(), |it| it.revision), leads);
                let archived = archived?;
                let held = told.map(|_| archived.confirmation());
                (held, self.adopt(archived).await)
            }
        };
        if let (Some(held), Some(_), false) = (held, followed, leads) {
            self.hear(&held);
        }
        followed
    }

    /// Publications come after the one that is archived; if that is older than what is served, who leads saves again.
    fn weigh(&mut self, held: Revision, leads: bool) {
        if held < self.shared.cell.load().revision && leads {
            self.save_again();
        }
        self.floor = self.floor.max(held);
    }

    /// The archive has lost what it had, or never got it: what is served is saved again. Where its definitions are not
    /// held here any more, the source is asked for them.
    pub(crate) fn save_again(&mut self) {
        let published = self.shared.cell.load_full();
        match (&published.export, &self.marker) {
            _ if self.unsaved.is_some() => {}
            (Some(_), Some(marker)) => {
                let marker = marker.clone();
                self.unsaved = Some(Unsaved::new(published, Written::default(), marker));
            }
            _ => self.anew = true,
        }
    }

    async fn adopt(&mut self, archived: Archived) -> Option<Refreshed> {
        let source = self.parts.source.describe();
        let confirmation = archived.confirmation();
        self.known.read(confirmation, Worth::Nothing);
        if *archived.source != *source {
            warn!(
                "the archived flags come from {} and not from {source}: they are not served",
                archived.source
            );
            return None;
        }
        let served = self.shared.cell.load().revision;
        let ours = self.marker.as_ref().filter(|it| it.content != archived.marker.content);
        if let Some(ours) = ours.map(|it| self.progress(it)) {
            let is_later = served < archived.revision;
            if is_later && archived.progress().is_before(&ours) {
                return self.overrule(archived.revision).await;
            }
            if !is_later && ours.is_before(&archived.progress()) {
                return self.adopt_behind(served, archived).await;
            }
        }
        if archived.revision <= served {
            self.known.read(confirmation, Worth::Ours);
            // While all ask the source for themselves they count alike, and may have seen different things.
            let is_served =
                self.marker.as_ref().is_some_and(|it| it.content == archived.marker.content);
            if is_served && archived.revision == served {
                self.known.is_archived(confirmation);
            }
            return is_served.then_some(Refreshed::Unchanged);
        }
        let Archived { document, marker, revision, refreshed_at_ms, origin, .. } = archived;
        let read = self.parts.make_rules(move || WrittenRows::of(&document)).await;
        let flags = match read {
            Ok(Ok(flags)) => flags,
            Ok(Err(error)) => {
                warn!("the archived flags cannot be read: {}", with_causes(&error));
                return None;
            }
            Err(_) => return None, // the runtime is ending
        };
        let origin = format!("{origin}, of {source}").into();
        let newest = marker.max_snapshot_id;
        let made = self.make(flags, Text::Dropped, Scope::All, revision, origin, newest).await;
        let (published, _) = match made {
            Ok(made) => made,
            Err(error) => {
                warn!("the archived flags cannot be used: {}", with_causes(&error));
                return None;
            }
        };
        // A time that is still to come is another clock's, or a lie.
        let refreshed_at_ms = refreshed_at_ms.min(millis(self.parts.clock.now()));
        published.refreshed_at(refreshed_at_ms);
        self.expire_from(&published, refreshed_at_ms);
        self.show(&published).await;
        self.known.is_archived(confirmation);
        self.marker = Some(marker);
        self.hours_due = self.next_hours();
        // An archive holds what was served: not what a filter kept out then, nor what was in error.
        self.anew = true;
        self.adopted = true;
        Some(Refreshed::Published(revision))
    }

    /// How far what is served, which the source knows by this marker, is along its history.
    fn progress(&self, marker: &Marker) -> Progress {
        let revision = self.shared.cell.load().revision;
        Progress { revision, max_snapshot_id: marker.max_snapshot_id }
    }

    /// Somebody has archived older flags by a later revision, as from a folder of long ago: those that are served get a
    /// revision behind it, in the archive too. Where what they are made of is not held here, the source is asked for it.
    async fn overrule(&mut self, theirs: Revision) -> Option<Refreshed> {
        let published = self.shared.cell.load_full();
        let ours = published.revision;
        warn!(%theirs, %ours, "archived flags are older than those that are served, and are not served");
        self.floor = self.floor.max(theirs);
        let (Some(_), Some(marker)) = (&published.export, &self.marker) else {
            self.anew = true;
            return None;
        };
        let archive = self.parts.archive.clone()?;
        let unsaved = Unsaved::new(published, Written::default(), marker.clone());
        let ours = self.archived(&archive, &unsaved).await;
        self.adopt_behind(theirs, ours).await
    }

    /// Serves these flags by a revision behind that one, once they are archived by it.
    fn adopt_behind(
        &mut self,
        last: Revision,
        mut flags: Archived,
    ) -> Pin<Box<dyn Future<Output = Option<Refreshed>> + Send + '_>> {
        Box::pin(async move {
            let archive = self.parts.archive.clone()?;
            flags.revision = last.max(flags.revision).next()?;
            if flags.origin.is_empty() {
                flags.origin = archive.describe().into();
            }
            let started = self.parts.clock.instant();
            let saved = archive.save(&flags).await;
            let took = self.parts.clock.instant().saturating_duration_since(started);
            self.parts.observer.archived(observed(&saved), took);
            if let Err(error) = saved {
                // It is tried again with the next look at the archive.
                self.known.forget();
                if error.kind() != ArchiveErrorKind::Superseded {
                    self.not_archived(archive.as_ref(), &error);
                }
                if error.kind() != ArchiveErrorKind::Incomplete {
                    return None;
                }
            }
            self.unsaved = None;
            self.adopt(flags).await
        })
    }

    /// Archives what was published last, or when it was confirmed. A failure is told once, and tried again with the next
    /// turn.
    pub(crate) async fn save(&mut self) {
        if let (Some(archive), None) = (self.parts.archive.clone(), &self.unsaved) {
            self.archive_confirmation(&archive).await;
        }
        // It stays unsaved until it is saved, also when this is dropped on the way.
        let (Some(archive), Some(unsaved)) = (self.parts.archive.clone(), self.unsaved.clone())
        else {
            return;
        };
        let started = self.parts.clock.instant();
        let span = span!("archive_save");
        let save = async {
            let archived = self.archived(&archive, &unsaved).await;
            (archive.save(&archived).await, archived.confirmation())
        };
        let (saved, confirmation) = save.instrument(span.clone()).await;
        let took = self.parts.clock.instant().saturating_duration_since(started);
        self.parts.observer.archived(observed(&saved), took);
        match saved {
            Ok(()) => {
                self.unsaved = None;
                self.known.is_archived(confirmation);
                self.archived_again(archive.as_ref());
            }
            Err(error) if error.kind() == ArchiveErrorKind::Superseded => {
                debug!("{error}");
                self.unsaved = None;
                self.superseded(&archive, &unsaved.marker).await;
            }
            Err(error) => {
                failed(&span, &with_causes(&error));
                self.not_archived(archive.as_ref(), &error);
                if error.kind() == ArchiveErrorKind::Incomplete {
                    // The one that lacks them gets them with the next confirmation.
                    self.unsaved = None;
                    self.known.is_archived(confirmation);
                }
            }
        }
    }

    /// The archive has taken what it was given.
    pub(crate) fn archived_again(&self, archive: &dyn FlagArchive) {
        if self.shared.counts.saved(None).is_some() {
            info!("the flags are archived again in {}", archive.describe());
        }
    }

    /// The archive has not taken what it was given.
    pub(crate) fn not_archived(&self, archive: &dyn FlagArchive, error: &ArchiveError) {
        let error: Box<str> = with_causes(error).into();
        let known = self.shared.counts.saved(Some(error.clone()));
        if known.as_ref() != Some(&error) {
            warn!("the flags cannot be archived in {}: {error}", archive.describe());
        }
    }

    /// Archives rules before they are served, since what they are made of is read from there. Where that fails the text of
    /// all flags is not kept until it succeeds: they are fetched again, and bodies come from the source meanwhile.
    pub(crate) async fn save_first(&mut self) {
        self.save().await;
        if self.unsaved.take().is_some() {
            self.anew = true;
        }
    }

    async fn archived(&self, archive: &Arc<dyn FlagArchive>, unsaved: &Unsaved) -> Archived {
        let published = Arc::clone(&unsaved.published);
        let definitions = Arc::clone(&unsaved.definitions);
        // The last good version of a flag in quarantine is in no definition that was fetched.
        let is_whole = published.export.is_some() || published.quarantined().is_empty();
        let older = if is_whole { None } else { archive.load().await.ok().flatten() };
        let made = spawn_blocking({
            let published = Arc::clone(&published);
            move || {
                let older = older.as_ref().map(|it| &*it.document);
                published.document(&definitions, older)
            }
        });
        Archived {
            document: made.await.unwrap_or_default(),
            marker: unsaved.marker.clone(),
            revision: published.revision,
            refreshed_at_ms: published.freshness().refreshed_at_ms,
            source: self.parts.source.describe().into(),
            origin: Box::default(),
        }
    }

    /// Somebody else has archived a later revision, or the same one of other flags: it is served if it is later and its
    /// flags are later too; otherwise ours get a revision behind it.
    async fn superseded(&mut self, archive: &Arc<dyn FlagArchive>, ours: &Marker) {
        let Ok(Some(theirs)) = archive.load().await else { return };
        self.floor = self.floor.max(theirs.revision);
        let is_same = ours.content == theirs.marker.content;
        let is_later = ours.max_snapshot_id < theirs.marker.max_snapshot_id;
        if (is_same || is_later) && self.adopt(theirs).await.is_some() {
            return;
        }
        self.anew = true;
        self.due = Instant::now();
    }
}

/// What came of a save, in an observer's words.
fn observed(saved: &Result<(), ArchiveError>) -> ArchiveOutcome {
    match saved {
        Ok(()) => ArchiveOutcome::Saved,
        Err(error) if error.kind() == ArchiveErrorKind::Superseded => ArchiveOutcome::Superseded,
        Err(_) => ArchiveOutcome::Failed,
    }
}
