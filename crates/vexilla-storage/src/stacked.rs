//! Several archives as one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::future::{join_all, select_all};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};
use tracing::{debug, info};
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, ArchiveLayer, Archived, Confirmation, Flag, FlagArchive,
    FlagId, FlagTest,
};

use layer::{Layer, Work};

mod layer;

/// How long a start waits for all layers, where one has given it flags.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Archives behind each other: what one cannot give, another can. The shared one comes first, as Redis before the disk.
///
/// A start does not wait for a shared one that is slow: the first [`load`](FlagArchive::load) goes by the layers that
/// answer at once, if one of them has flags. What the others have shows as [`changed`](FlagArchive::changed).
#[derive(Debug)]
pub struct StackedArchive {
    layers: Vec<Layer>,
    source: Option<Box<str>>,
    /// Until when a start waits for all layers.
    patience: OnceLock<Instant>,
    has_begun: AtomicBool,
}

impl StackedArchive {
    /// These archives, the first one first. All of them are saved to.
    pub fn new(layers: Vec<Arc<dyn FlagArchive>>) -> Self {
        let layers = layers.into_iter().map(Layer::new).collect();
        Self { layers, source: None, patience: OnceLock::new(), has_begun: AtomicBool::new(false) }
    }

    /// Names the source whose flags are wanted. Those of another are loaded only where no layer has any of this one; and
    /// what one layer has is passed on to those that have less, as to a Redis that lost its data, or to a disk that nobody
    /// else saves to.
    #[must_use]
    pub fn of_source(mut self, source: impl Into<Box<str>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether these flags are to be served rather than those.
    fn is_better(&self, found: &Archived, held: &Archived) -> bool {
        let is_wanted =
            |it: &Archived| self.source.as_ref().is_none_or(|source| *source == it.source);
        match (is_wanted(found), is_wanted(held)) {
            (true, false) => true,
            (false, true) => false,
            _ if found.source != held.source => held.revision < found.revision,
            _ if found.progress() == held.progress() => {
                held.refreshed_at_ms < found.refreshed_at_ms
            }
            _ => held.progress().is_before(&found.progress()),
        }
    }

    /// What the layers load, in their order. A start does without those that are late.
    async fn loads<'a>(&'a self) -> Vec<(&'a Layer, Result<Option<Archived>, ArchiveError>)> {
        let load =
            |(at, layer): (usize, &'a Layer)| async move { (at, layer.archive.load().await) };
        let mut loads: FuturesUnordered<_> = self.layers.iter().enumerate().map(load).collect();
        let mut loaded = Vec::new();
        loop {
            let has_flags = loaded.iter().any(|(_, it)| matches!(it, Ok(Some(_))));
            let next = match self.patience().filter(|_| has_flags) {
                Some(patience) => timeout_at(patience, loads.next()).await,
                None => Ok(loads.next().await),
            };
            match next {
                Ok(Some(next)) => loaded.push(next),
                Ok(None) => break,
                Err(_) => {
                    info!("an archive is late, the flags of another one are served meanwhile");
                    break;
                }
            }
        }
        self.has_begun.store(true, Ordering::Relaxed);
        loaded.sort_by_key(|(at, _)| *at);
        let noted = |(at, loaded)| {
            let layer: &Layer = self.layers.get(at)?;
            Some((layer, layer.noted(Work::Load, loaded)))
        };
        loaded.into_iter().filter_map(noted).collect()
    }

    /// Until when the layers have time at a start. `None` once it is over.
    fn patience(&self) -> Option<Instant> {
        let begins = !self.has_begun.load(Ordering::Relaxed);
        begins.then(|| *self.patience.get_or_init(|| Instant::now() + A_MOMENT))
    }

    /// Saves what one layer holds to those that lack it. Says whether these are the flags that all layers go by then: the
    /// first one may hold later ones.
    async fn fill(
        &self,
        lacking: &[&Layer],
        holder: &Layer,
        confirmation: &Confirmation,
    ) -> Result<bool, ArchiveError> {
        let Ok(Some(flags)) = holder.archive.load().await else { return Ok(false) };
        if !flags.confirmation().is_of_same_flags(confirmation) {
            return Ok(false);
        }
        let saves = lacking.iter().map(|layer| layer.archive.save(&flags));
        let mut failure = None;
        for (layer, saved) in lacking.iter().zip(join_all(saves).await) {
            match layer.noted(Work::Save, saved) {
                Err(error) if error.kind() == ArchiveErrorKind::Superseded => {
                    if self.layers.first().is_some_and(|first| std::ptr::eq(first, *layer)) {
                        return Ok(false);
                    }
                }
                Err(error) => drop(failure.get_or_insert(error)),
                Ok(()) => {}
            }
        }
        failure.map_or(Ok(true), Err)
    }

    /// Gives the best flags a revision behind all others of their source, where they are no later by their own, and saves
    /// them to the layers that have others. Nobody waits for it to go well: the next load tries again.
    async fn pass_on(&self, best: &mut Archived, held: &[(&Layer, Option<Archived>)]) {
        let confirmation = best.confirmation();
        let has_others = |it: &Option<Archived>| {
            it.as_ref().is_none_or(|it| {
                it.source != best.source || !it.confirmation().is_of_same_flags(&confirmation)
            })
        };
        let others = held.iter().filter(|(_, flags)| has_others(flags));
        let counted =
            others.filter_map(|(_, it)| it.as_ref()).filter(|it| it.source == best.source);
        let last = counted.map(|it| it.revision).max().filter(|it| best.revision <= *it);
        let next = last.and_then(vexilla_domain::Revision::next);
        let lacking: Vec<_> = held
            .iter()
            .filter(|(_, flags)| next.is_some() || has_others(flags))
            .map(|(layer, _)| *layer)
            .collect();
        best.revision = next.unwrap_or(best.revision);
        let best = &*best;
        let saves = lacking.iter().map(|layer| layer.archive.save(best));
        for (layer, saved) in lacking.iter().zip(join_all(saves).await) {
            if let Err(error) = layer.noted(Work::Save, saved) {
                let archive = layer.archive.describe();
                debug!(archive, "an archive did not take the flags of another one: {error}");
            }
        }
    }
}

#[async_trait]
impl FlagArchive for StackedArchive {
    /// The latest flags that any layer has, as far as their source has come; of equal ones those that were confirmed last.
    /// Where two layers count differently, the latest flags get a revision behind both. A layer that fails is reported and
    /// passed over, unless all do.
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        let mut held = Vec::new();
        let mut failure = None;
        for (layer, loaded) in self.loads().await {
            match loaded {
                Ok(flags) => held.push((layer, flags)),
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        match failure {
            Some(error) if held.is_empty() => return Err(error),
            _ => {}
        }
        let mut best: Option<Archived> = None;
        for flags in held.iter().filter_map(|(_, flags)| flags.as_ref()) {
            if best.as_ref().is_none_or(|best| self.is_better(flags, best)) {
                best = Some(flags.clone());
            }
        }
        if let Some(best) = best.as_mut().filter(|it| self.source.as_ref() == Some(&it.source)) {
            self.pass_on(best, &held).await;
        }
        Ok(best)
    }

    /// Saves to all layers at once. It fails where any of them does: with [`Incomplete`](ArchiveErrorKind::Incomplete) if
    /// another one has taken them, and with [`Superseded`](ArchiveErrorKind::Superseded) if the first one holds later flags,
    /// which the others follow then.
    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let mut is_taken = false;
        let mut failure = None;
        let saves = self.layers.iter().map(|layer| layer.archive.save(flags));
        for (index, (layer, saved)) in self.layers.iter().zip(join_all(saves).await).enumerate() {
            match layer.noted(Work::Save, saved) {
                Ok(()) => is_taken = true,
                Err(error) if error.kind() == ArchiveErrorKind::Superseded => {
                    // A load then finds out which are later, where the source is known.
                    if index == 0 || self.source.is_some() {
                        return Err(error);
                    }
                }
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        match failure {
            Some(error) if is_taken => Err(error.with_kind(ArchiveErrorKind::Incomplete)),
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Confirms them in all layers. Those that lack the flags, as a folder that was emptied, get them from one that has
    /// them. It fails where any layer does: what is not noted there is missing when only that one is left.
    async fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        let (mut holder, mut lacking, mut failure) = (None, Vec::new(), None);
        let confirms = self.layers.iter().map(|layer| layer.archive.confirm(confirmation));
        for (layer, confirmed) in self.layers.iter().zip(join_all(confirms).await) {
            match layer.noted(Work::Confirm, confirmed) {
                Ok(true) => drop(holder.get_or_insert(layer)),
                Ok(false) => lacking.push(layer),
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        match (holder, failure) {
            (None, Some(error)) if lacking.is_empty() => Err(error),
            (None, _) => Ok(lacking.is_empty()),
            (Some(holder), failure) => {
                let is_there =
                    lacking.is_empty() || self.fill(&lacking, holder, confirmation).await?;
                failure.filter(|_| is_there).map_or(Ok(is_there), Err)
            }
        }
    }

    /// What the first layer says, where the others hold the same flags: they are told when those were confirmed. Otherwise a
    /// load has to tell, which passes on what one of them lacks. It fails where the first one does: the others know nothing
    /// of what those who share it do.
    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        let looks = join_all(self.layers.iter().map(|layer| layer.archive.held()));
        let looks = match self.patience() {
            None => looks.await,
            Some(patience) => match timeout_at(patience, looks).await {
                Ok(looks) => looks,
                Err(_) => return Ok(None),
            },
        };
        let mut told: Option<Confirmation> = None;
        let mut behind = Vec::new();
        for (index, (layer, held)) in self.layers.iter().zip(looks).enumerate() {
            match (layer.noted(Work::Tell, held), &told) {
                (Err(error), _) if index == 0 => return Err(error),
                (Ok(None), _) => return Ok(None),
                (Ok(Some(held)), None) => told = Some(held),
                (Ok(Some(held)), Some(first)) if !held.is_of_same_flags(first) => return Ok(None),
                (Ok(Some(held)), Some(first)) if held != *first => behind.push(layer),
                (Err(_), _) | (Ok(Some(_)), Some(_)) => {}
            }
        }
        let Some(first) = told else { return Ok(None) };
        let confirms = behind.iter().map(|layer| layer.archive.confirm(&first));
        for (layer, confirmed) in behind.iter().zip(join_all(confirms).await) {
            // Told of where it is news; what is served does not depend on it.
            let _ = layer.noted(Work::Confirm, confirmed);
        }
        Ok(Some(first))
    }

    /// From the last layer that has it: that is the nearest one. It fails where none has it and one fails.
    async fn load_flag(
        &self,
        id: FlagId,
        is_wanted: FlagTest<'_>,
    ) -> Result<Option<Flag>, ArchiveError> {
        let mut failure = None;
        for layer in self.layers.iter().rev() {
            match layer.archive.load_flag(id, is_wanted).await {
                Ok(Some(flag)) => return Ok(Some(flag)),
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    fn describe(&self) -> String {
        let names: Vec<_> = self.layers.iter().map(|layer| layer.archive.describe()).collect();
        names.join(", then ")
    }

    async fn changed(&self) {
        if self.layers.is_empty() {
            return std::future::pending().await;
        }
        select_all(self.layers.iter().map(|layer| layer.archive.changed())).await;
    }

    /// Layers that nobody shares always say yes, so that the shared one decides. A start that cannot wait for it leads.
    async fn leads(&self) -> bool {
        for layer in &self.layers {
            let leads = layer.archive.leads();
            let leads = match self.patience() {
                Some(patience) => timeout_at(patience, leads).await.unwrap_or(true),
                None => leads.await,
            };
            if !leads {
                return false;
            }
        }
        true
    }

    async fn release(&self) {
        join_all(self.layers.iter().map(|layer| layer.archive.release())).await;
    }

    async fn step_back(&self) {
        join_all(self.layers.iter().map(|layer| layer.archive.step_back())).await;
    }

    fn layers(&self) -> Vec<ArchiveLayer> {
        self.layers.iter().flat_map(Layer::states).collect()
    }
}

#[cfg(test)]
mod tests;
