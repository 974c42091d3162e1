//! The refresh path, top to bottom: fetch, compile, publish, archive, tell. Everything that wants a refresh meets in one
//! task (`schedule.rs`).

// tidy: long because the refresh path is read top to bottom, in one place.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::{Span, debug, field, info, warn};
use vexilla_domain::json::{Document, Rows};
use vexilla_domain::{
    Depth, Fetch, Flag, FlagId, FlagName, FlagRef, FlagState, Level, Marker, Problem,
    RefreshOutcome, Revision, SourceErrorKind,
};
use vexilla_eval::CompiledFlag;

use crate::archive::Unsaved;
use crate::config::{Config, ExportPolicy};
use crate::confirmations::Known;
use crate::dates;
use crate::error::RefreshError;
use crate::export::Written;
use crate::notes::Debounce;
use crate::parts::Parts;
use crate::publication::{Draft, Given, Press, Scope, Text};
use crate::published::Published;
use crate::requests::{Waiter, Work};
use crate::shared::Shared;
use crate::span::{failed, span, within};

/// What a refresh came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refreshed {
    /// The flags are those that were there before.
    Unchanged,
    /// New rules were published.
    Published(Revision),
}

/// Brings the rules up to date. One lives in each client, in a task of its own.
#[derive(Debug)]
pub(crate) struct Refresher {
    pub(crate) parts: Parts,
    pub(crate) config: Config,
    pub(crate) press: Press,
    pub(crate) shared: Arc<Shared>,
    /// What the source knows the published flags by; `None` before it gave any.
    pub(crate) marker: Option<Marker>,
    /// Whether the flags are wanted in any case with the next look.
    pub(crate) anew: bool,
    /// No publication comes before this one: an archive has it already.
    pub(crate) floor: Revision,
    /// Flags that were read one by one and are not known to be in what is fetched yet.
    pub(crate) fresh: HashMap<FlagId, Flag>,
    /// Flags that were found deleted, with the source's newest snapshot then, until what is fetched says so too.
    pub(crate) gone: HashMap<FlagId, u64>,
    /// Set while the source knows of a change that it does not show yet: when to look again.
    pub(crate) again_in: Option<Duration>,
    /// When to look next.
    pub(crate) due: Instant,
    /// When to read all flags next, whatever the source says of changes.
    pub(crate) full_due: Instant,
    /// When the hour next changes which of the published flags are kept, if it does.
    pub(crate) hours_due: Option<Instant>,
    /// Who waits until the source shows all that it knows.
    pub(crate) waiting: Vec<(Instant, Waiter)>,
    /// What was published last while somebody waited.
    pub(crate) news: Option<Refreshed>,
    /// What is to be archived.
    pub(crate) unsaved: Option<Unsaved>,
    /// What is known of the archive.
    pub(crate) known: Known,
    /// Whether the rules are those of an archive, which this process has not compared with the source yet.
    pub(crate) adopted: bool,
    /// When the notes are to be read.
    pub(crate) debounce: Debounce,
}

impl Refresher {
    pub(crate) fn new(parts: Parts, config: Config, shared: Arc<Shared>) -> Self {
        let press = Press {
            strictness: parts.source.strictness(),
            filter: config.filter.clone(),
            // Under a budget the archive is what keeps it.
            keeps_document: config.export == ExportPolicy::Keep && !parts.is_paged(),
            parts: parts.clone(),
        };
        let now = Instant::now();
        Self {
            full_due: now + config.full_refresh_interval,
            parts,
            config,
            press,
            shared,
            marker: None,
            anew: false,
            floor: Revision::default(),
            fresh: HashMap::new(),
            gone: HashMap::new(),
            again_in: None,
            due: now,
            hours_due: None,
            waiting: Vec::new(),
            news: None,
            unsaved: None,
            known: Known::default(),
            adopted: false,
            debounce: Debounce::default(),
        }
    }

    /// The span of a refresh, archiving included.
    pub(crate) fn span() -> Span {
        span!("refresh", refresh.outcome = field::Empty, ruleset.revision = field::Empty)
    }

    /// Does what there is to do. Whatever goes wrong, the rules that were there before are served on.
    pub(crate) async fn turn(&mut self, mut work: Work) -> Result<Refreshed, RefreshError> {
        let started = self.parts.clock.instant();
        let asked = work.due || work.look.is_some();
        if let Some(filter) = work.filter.take() {
            self.press.filter = filter.clone();
            self.config.filter = filter;
        }
        let hours_due = self.next_hours();
        let outcome = self.steps(&mut work).await;
        let took = self.parts.clock.instant().saturating_duration_since(started);
        let looked = work.look.is_some();
        self.account(&outcome, looked, took);
        trace(&outcome);
        if matches!(outcome, Ok(Refreshed::Published(_))) {
            self.hours_due = hours_due;
        }
        self.schedule(asked || looked, outcome.is_err());
        if outcome.is_err() {
            self.step_back().await;
        }
        outcome
    }

    async fn steps(&mut self, work: &mut Work) -> Result<Refreshed, RefreshError> {
        let mut outcome = Refreshed::Unchanged;
        if work.load || work.due || work.look.is_some() {
            outcome = self.go_by_archive(work).await;
        }
        if work.reread_all {
            self.parts.forget_all_answers();
            self.anew = true;
            work.look = Some(Depth::Anew);
        } else if !work.reread.is_empty() {
            match self.reread(std::mem::take(&mut work.reread)).await? {
                Some(refreshed) => outcome = refreshed,
                None => work.look = Some(Depth::Full),
            }
        }
        match work.look {
            Some(depth) => self.look(depth).await,
            None => Ok(outcome),
        }
    }

    /// Looks for changes: fetch, compile, publish.
    async fn look(&mut self, depth: Depth) -> Result<Refreshed, RefreshError> {
        let depth = match depth {
            _ if self.anew => Depth::Anew,
            Depth::Probe if self.full_due <= Instant::now() => Depth::Full,
            depth => depth,
        };
        let seen = self.marker.as_ref();
        let span = span!("fetch", otel.kind = "client", fetch.depth = ?depth);
        let fetched = within(span, self.parts.source.fetch_rows(seen, depth)).await?;
        let Fetch { changed, marker, again_in } = self.believe_if_empty(fetched).await?;
        if depth != Depth::Probe {
            self.full_due = Instant::now() + self.config.full_refresh_interval;
        }
        let Some(mut flags) = changed else {
            self.settle(again_in);
            self.shared.cell.load().set_max_snapshot_id(marker.max_snapshot_id);
            self.marker = Some(marker);
            return Ok(Refreshed::Unchanged);
        };

        let previous = self.shared.cell.load_full();
        let history = self.history(&marker);
        let overlaid = history == History::GoesOn && overlay(&mut flags, &self.fresh);
        let scope = match (again_in, history) {
            (Some(_), History::GoesOn) => {
                let newest = flags.iter().map(|it| it.snapshot_id().0).max();
                Scope::Behind { newest: newest.unwrap_or_default(), gone: self.gone.clone() }
            }
            _ => Scope::All,
        };
        let revision = self.next_revision(&previous, history)?;
        let origin = self.parts.source.describe();
        let newest = marker.max_snapshot_id;
        let text = if self.parts.archive.is_some() { Text::Written } else { Text::Dropped };
        let (mut published, definitions) =
            self.make(flags, text, scope, revision, origin.into(), newest).await?;
        // What was merged is not what the marker stands for: it is fetched again until nothing has to be merged.
        self.anew = again_in.is_some() && (overlaid || published.merged);
        let is_archived = std::mem::take(&mut self.adopted) && self.known.has(previous.revision);
        if is_archived && history == History::GoesOn && is_same(&previous, &published) {
            // Only what an archive does not tell is new: what a filter keeps out, and why.
            if let Some(published) = Arc::get_mut(&mut published) {
                published.revision = previous.revision;
            }
            self.shared.cell.publish_newer(&published, |it| it.revision);
            report_problems(&published, &previous.problems);
            self.settle(again_in);
            self.marker = Some(marker);
            return Ok(Refreshed::Unchanged);
        }
        if self.parts.archive.is_some() {
            let published = Arc::clone(&published);
            self.unsaved = Some(Unsaved::new(published, definitions, marker.clone()));
        }
        if self.parts.is_paged() {
            self.save_first().await;
            // Somebody else has archived later rules, which are served now: these were never to be seen.
            let served = self.shared.cell.load().revision;
            if published.revision < served {
                return Ok(Refreshed::Published(served));
            }
        }
        self.show(&published).await;
        self.settle(again_in);
        self.marker = Some(marker);
        Ok(Refreshed::Published(revision))
    }

    /// A server that had flags and says that it has none is believed only after a second sign: its number of changes has
    /// grown, or it says so again.
    async fn believe_if_empty(&self, fetched: Fetch<Rows>) -> Result<Fetch<Rows>, RefreshError> {
        let held = self.marker.as_ref().and_then(|it| it.max_snapshot_id);
        let has_grown = held.is_some() && held < fetched.marker.max_snapshot_id;
        let had_none = self.shared.cell.load().ruleset.is_empty();
        if !fetched.changed.as_ref().is_some_and(Rows::is_empty) || had_none || has_grown {
            return Ok(fetched);
        }
        let span = span!("fetch", otel.kind = "client", fetch.depth = ?Depth::Anew);
        // Whatever it says now counts, were it that nothing changed since the flags that are held.
        let again = within(span, self.parts.source.fetch_rows(self.marker.as_ref(), Depth::Anew));
        Ok(again.await?)
    }

    /// Whether these flags follow on those that are held, or come from another history: the source's number of changes
    /// fell, and the source is sure of it.
    fn history(&self, marker: &Marker) -> History {
        let held = self.marker.as_ref().and_then(|it| it.max_snapshot_id);
        match (held, marker.max_snapshot_id) {
            (Some(held), Some(now)) if now < held => History::IsAnother,
            (Some(_), None) => History::IsAnother, // it has lost its numbers for good
            _ => History::GoesOn,
        }
    }

    fn next_revision(
        &mut self,
        previous: &Published,
        history: History,
    ) -> Result<Revision, RefreshError> {
        let last = previous.revision.max(self.floor);
        let next = match history {
            History::GoesOn => last.next(),
            History::IsAnother => {
                warn!("Flagr's history is another one than before, as after a restored backup");
                self.fresh.clear();
                self.gone.clear();
                last.next_epoch()
            }
        };
        next.ok_or_else(|| {
            let message = format!("no revision is left behind {last}");
            RefreshError::new(SourceErrorKind::Invalid, message)
        })
    }

    /// When the hour next changes which flags are kept, from now.
    pub(crate) fn next_hours(&self) -> Option<Instant> {
        let hours = self.config.filter.hours()?;
        Some(Instant::now() + hours.next_change(self.parts.clock.now()))
    }

    /// Reads flags one by one, past what the source as a whole may lag behind. `None` where it cannot be asked for one.
    async fn reread(
        &mut self,
        names: HashSet<FlagName>,
    ) -> Result<Option<Refreshed>, RefreshError> {
        let mut flags = Vec::new();
        let mut gone = HashSet::new();
        for name in self.with_ids(names) {
            self.parts.forget_answers(&name);
            let asked = FlagRef { id: name.id.0, key: &name.key };
            let span = span!("fetch", otel.kind = "client", flag.id = name.id.0);
            match within(span, self.parts.source.fetch_flag(asked)).await? {
                FlagState::Found(flag) => flags.push(*flag),
                FlagState::Gone { id, newest } => {
                    gone.insert(id);
                    if id != FlagId(0) && newest > 0 {
                        self.gone.insert(id, newest);
                    }
                    self.fresh.remove(&id);
                }
                FlagState::Unknown => return Ok(None),
            }
        }
        let previous = self.shared.cell.load_full();
        let flags = dated(flags, &previous).await?;
        for flag in &flags {
            self.gone.remove(&flag.id);
            self.fresh.insert(flag.id, flag.clone());
        }
        if is_held(&flags, &gone, &previous) {
            return Ok(Some(Refreshed::Unchanged));
        }
        let revision = self.next_revision(&previous, History::GoesOn)?;
        let (origin, newest) = (previous.origin.clone(), previous.max_snapshot_id());
        let flags = Rows::from(Document { flags, problems: Vec::new() });
        let scope = Scope::Some { gone };
        let made = self.make(flags, Text::Dropped, scope, revision, origin, Some(newest)).await;
        let (published, _) = made?;
        // Of the others nothing new is known.
        published.as_fresh_as(&previous);
        self.show(&published).await;
        // The rules are not what the marker stands for any more.
        self.anew = true;
        // The source's number of changes has grown by this one. What else has changed is seen soon.
        self.again_in = Some(self.again_in.map_or(SETTLING, |it| it.min(SETTLING)));
        Ok(Some(Refreshed::Published(revision)))
    }

    /// A flag that is held is read by its id, also where only its key was told.
    fn with_ids(&self, names: HashSet<FlagName>) -> HashSet<FlagName> {
        let published = self.shared.cell.load();
        let with_id = |name: FlagName| match published.ruleset.by_key(&name.key) {
            Some(flag) if name.id == FlagId(0) => FlagName { id: flag.head().id, key: name.key },
            _ => name,
        };
        let all = names.into_iter().map(with_id);
        // Of a flag that was renamed there may be several names.
        let mut seen = HashSet::new();
        all.filter(|it| it.id == FlagId(0) || seen.insert(it.id)).collect()
    }

    /// Makes rules of flags, and the definitions that are to be archived.
    pub(crate) async fn make(
        &self,
        flags: impl Into<Given>,
        text: Text,
        scope: Scope,
        revision: Revision,
        origin: Box<str>,
        max_snapshot_id: Option<u64>,
    ) -> Result<(Arc<Published>, Written), RefreshError> {
        let now = self.parts.clock.now();
        let read_since = self.fresh.values().cloned().collect();
        let flags = flags.into();
        let draft =
            Draft { flags, read_since, text, scope, revision, now, origin, max_snapshot_id };
        let previous = self.shared.cell.load_full();
        let compile = self.parts.make_rules({
            let (press, previous) = (self.press.clone(), Arc::clone(&previous));
            move || press.publication(draft, &previous)
        });
        let span = span!("compile", ruleset.flags = field::Empty);
        let (published, definitions) = within(span.clone(), compile).await.map_err(|error| {
            RefreshError::new(SourceErrorKind::Invalid, format!("compiling the flags: {error}"))
        })?;
        span.record("ruleset.flags", published.ruleset.len());
        if let Some(watch) = &self.shared.watch {
            watch.place(&published.ruleset);
        }
        published.confirm(now); // before anybody can see it
        Ok((Arc::new(published), definitions))
    }

    /// Publishes rules, and tells what is new.
    pub(crate) async fn show(&self, published: &Arc<Published>) {
        let previous = self.shared.cell.load_full();
        span!("publish").in_scope(|| self.shared.cell.publish_newer(published, |it| it.revision));
        self.parts.forget_changed(&previous.ruleset, &published.ruleset);
        self.shared.feed.tell(&previous, published);
        report(published, &previous.problems);
        if self.parts.is_paged() {
            let (parts, now) = (self.parts.clone(), Arc::clone(published));
            let forget = move || parts.forget_bodies(&previous.ruleset, &now.ruleset);
            let _ = spawn_blocking(forget).await; // it fails where the runtime ends
        }
    }

    /// Forgets what was read one by one, once all of it is in what was fetched.
    fn settle(&mut self, again_in: Option<Duration>) {
        self.again_in = again_in;
        if again_in.is_none() {
            self.fresh.clear();
            self.gone.clear();
        }
    }

    /// Counts what came of it, and says what is news.
    fn account(&mut self, outcome: &Result<Refreshed, RefreshError>, looked: bool, took: Duration) {
        let published = self.shared.cell.load();
        if looked || outcome.is_err() {
            self.parts.observer.refreshed(observed(outcome), took);
        }
        match outcome {
            // What others have archived, or one flag, says nothing of what the source has now.
            Ok(refreshed) if !looked => debug!(?refreshed, ?took, "taken over"),
            Ok(refreshed) => {
                published.confirm(self.parts.clock.now());
                self.parts.resume_expiry();
                self.expire_from_now();
                self.known.source_confirmed(published.freshness().refreshed_at_ms);
                if self.shared.counts.succeeded(took) > 0 {
                    info!("the source answers again");
                }
                debug!(?refreshed, ?took, "refreshed");
            }
            Err(error) => {
                published.mark_stale();
                self.again_in = None;
                // An outage is told once, and again when its reason changes. A start that fails is told by its caller;
                // what the breaker goes back to was told before.
                let suspended = error.kind() == SourceErrorKind::Suspended;
                let is_news = if suspended {
                    self.shared.counts.suspended(error)
                } else {
                    self.shared.counts.failed(took, error)
                };
                if is_news && !published.is_empty() {
                    let source = self.parts.source.describe();
                    let meanwhile = if published.is_expired() {
                        "the last good flags are too old, the fallback applies"
                    } else {
                        "the last good flags are served on"
                    };
                    warn!("refresh from {source} failed, {meanwhile}: {error}");
                }
            }
        }
    }
}

/// Soon after a flag was read by itself, everything is looked at.
const SETTLING: Duration = Duration::from_millis(250);

/// What a marker says of the source's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum History {
    GoesOn,
    IsAnother,
}

/// Notes in the span of the refresh what came of it.
fn trace(outcome: &Result<Refreshed, RefreshError>) {
    let span = Span::current();
    span.record("refresh.outcome", observed(outcome).as_str());
    match outcome {
        Ok(Refreshed::Published(revision)) => {
            span.record("ruleset.revision", field::display(revision));
        }
        Ok(Refreshed::Unchanged) => {}
        Err(error) => failed(&span, error),
    }
}

/// What came of a refresh, in an observer's words.
fn observed(outcome: &Result<Refreshed, RefreshError>) -> RefreshOutcome {
    match outcome {
        Ok(Refreshed::Published(_)) => RefreshOutcome::Changed,
        Ok(Refreshed::Unchanged) => RefreshOutcome::Unchanged,
        Err(_) => RefreshOutcome::Failed,
    }
}

/// Puts flags that were read since in the place of older ones, and says whether there were any.
fn overlay(flags: &mut Rows, fresh: &HashMap<FlagId, Flag>) -> bool {
    let mut overlaid = false;
    for row in flags.iter_mut().filter(|it| it.snapshot_id().0 > 0) {
        if let Some(newer) = fresh.get(&row.id()).filter(|it| row.snapshot_id() < it.snapshot_id) {
            let mut newer = newer.clone();
            if let Ok(older) = row.flag() {
                dates::complete(&mut newer, &older);
            }
            *row = newer.into();
            overlaid = true;
        }
    }
    overlaid
}

/// Dates flags that were read one by one, where the rules have a document to date them by.
async fn dated(mut flags: Vec<Flag>, previous: &Published) -> Result<Vec<Flag>, RefreshError> {
    let Some(document) = previous.export.clone() else { return Ok(flags) };
    let dating = spawn_blocking(move || {
        dates::complete_all(&mut flags, &document);
        flags
    });
    dating.await.map_err(|error| {
        RefreshError::new(SourceErrorKind::Invalid, format!("dating the flags: {error}"))
    })
}

/// Whether the rules hold exactly these flags, and none of those that are gone.
fn is_held(flags: &[Flag], gone: &HashSet<FlagId>, previous: &Published) -> bool {
    let rules = &previous.ruleset;
    // A snapshot is one state of a flag, however the dates are written in different places.
    let same = |it: &Flag| {
        rules.by_id(it.id).is_some_and(|held| {
            (it.snapshot_id.0 > 0 && it.snapshot_id == held.head().snapshot_id)
                || held.fingerprint() == vexilla_eval::fingerprint(it)
        })
    };
    flags.iter().all(same) && gone.iter().all(|it| rules.by_id(*it).is_none())
}

/// Whether both serve the same: each flag in the same version, and those in error too.
fn is_same(previous: &Published, now: &Published) -> bool {
    let all = |rules: &Published| {
        let flag = |it: &CompiledFlag| (it.head().id, it.fingerprint(), it.is_broken());
        let mut all: Vec<_> = rules.ruleset.flags().map(flag).collect();
        all.sort_unstable();
        all
    };
    previous.ruleset.len() == now.ruleset.len() && all(previous) == all(now)
}

/// Logs that rules were published, and what is wrong with them.
fn report(published: &Published, known: &[Problem]) {
    info!(flags = published.ruleset.len(), revision = %published.revision, "rules published");
    report_problems(published, known);
}

/// Logs what is wrong with flags, each thing once for as long as it stays wrong.
fn report_problems(published: &Published, known: &[Problem]) {
    for problem in
        published.problems.iter().filter(|it| it.level == Level::Error && !known.contains(it))
    {
        warn!("{problem}; the flag is quarantined");
    }
}
