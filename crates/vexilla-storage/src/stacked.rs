//! Several archives as one.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{join_all, select_all};
use tracing::{debug, warn};
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, Archived, Confirmation, Flag, FlagArchive, FlagId, FlagTest,
    Revision,
};

/// Archives behind each other: what one cannot give, another can. The shared one comes first, as Redis before the disk.
#[derive(Debug)]
pub struct StackedArchive {
    layers: Vec<Arc<dyn FlagArchive>>,
    source: Option<Box<str>>,
}

impl StackedArchive {
    /// These archives, the first one first. All of them are saved to.
    pub fn new(layers: Vec<Arc<dyn FlagArchive>>) -> Self {
        Self { layers, source: None }
    }

    /// Names the source whose flags are wanted. Those of another are loaded only where no layer has any of this one; and
    /// what one layer has is passed on to those that have less, as to a Redis that lost its data, or to a disk that nobody
    /// else saves to.
    #[must_use]
    pub fn of_source(mut self, source: impl Into<Box<str>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether these flags are wanted, which revision they are, and when they were confirmed: what is larger is better.
    fn rank(&self, flags: &Archived) -> (bool, Revision, u64) {
        let is_wanted = self.source.as_ref().is_none_or(|it| *it == flags.source);
        (is_wanted, flags.revision, flags.refreshed_at_ms)
    }

    /// Saves what one layer holds to those that lack it. Says whether these are the flags that all layers go by then: the
    /// first one may hold later ones.
    async fn fill(
        &self,
        lacking: &[&Arc<dyn FlagArchive>],
        holder: &Arc<dyn FlagArchive>,
        confirmation: &Confirmation,
    ) -> bool {
        let Ok(Some(flags)) = holder.load().await else { return false };
        if !flags.confirmation().is_of_same_flags(confirmation) {
            return false;
        }
        let saves = lacking.iter().map(|layer| layer.save(&flags));
        for (layer, saved) in lacking.iter().zip(join_all(saves).await) {
            match saved {
                Err(error) if error.kind() == ArchiveErrorKind::Superseded => {
                    if self.layers.first().is_some_and(|first| Arc::ptr_eq(first, layer)) {
                        return false;
                    }
                }
                Err(error) => report(layer.as_ref(), "save", &error),
                Ok(()) => {}
            }
        }
        true
    }

    /// Saves what was found to the layers that have less. Nobody waits for it to go well: the next load tries again.
    async fn pass_on(&self, newest: &Archived, to: &[&Arc<dyn FlagArchive>]) {
        let saves = to.iter().map(|layer| layer.save(newest));
        for (layer, saved) in to.iter().zip(join_all(saves).await) {
            if let Err(error) = saved {
                debug!(archive = layer.describe(), "an archive did not take older flags: {error}");
            }
        }
    }
}

#[async_trait]
impl FlagArchive for StackedArchive {
    /// The newest flags that any layer has; of equal ones those that were confirmed last. A layer that fails is reported
    /// and passed over, unless all do.
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        let mut held = Vec::new();
        let mut failure = None;
        let loads = self.layers.iter().map(|layer| layer.load());
        for (layer, loaded) in self.layers.iter().zip(join_all(loads).await) {
            match loaded {
                Ok(flags) => held.push((layer, flags)),
                Err(error) => {
                    report(layer.as_ref(), "load", &error);
                    failure.get_or_insert(error);
                }
            }
        }
        match failure {
            Some(error) if held.is_empty() => return Err(error),
            _ => {}
        }
        let ranks: Vec<_> = held
            .iter()
            .map(|(layer, flags)| (*layer, flags.as_ref().map(|it| self.rank(it))))
            .collect();
        // Of equal ones the first layer's.
        let newest = held.into_iter().rev().filter_map(|(_, flags)| flags);
        let Some(newest) = newest.max_by_key(|it| self.rank(it)) else { return Ok(None) };
        if self.source.as_ref() == Some(&newest.source) {
            let has_less = |rank: &Option<(bool, Revision, u64)>| {
                rank.is_none_or(|(is_wanted, revision, _)| !is_wanted || revision < newest.revision)
            };
            let lacking: Vec<_> =
                ranks.iter().filter(|(_, rank)| has_less(rank)).map(|(layer, _)| *layer).collect();
            self.pass_on(&newest, &lacking).await;
        }
        Ok(Some(newest))
    }

    /// Saves to all layers at once. It fails if all of them do, or if the first one holds a later revision: the others
    /// then follow what that one says.
    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let mut works = self.layers.is_empty();
        let mut failure = None;
        let saves = self.layers.iter().map(|layer| layer.save(flags));
        for (index, (layer, saved)) in self.layers.iter().zip(join_all(saves).await).enumerate() {
            match saved {
                Ok(()) => works = true,
                Err(error) if index == 0 && error.kind() == ArchiveErrorKind::Superseded => {
                    return Err(error);
                }
                Err(error) => {
                    report(layer.as_ref(), "save", &error);
                    failure.get_or_insert(error);
                }
            }
        }
        match failure {
            Some(error) if !works => Err(error),
            _ => Ok(()),
        }
    }

    /// Confirms them in all layers. Those that lack the flags, as a folder that was emptied, get them from one that has
    /// them. It fails where any layer does: what is not noted there is missing when only that one is left.
    async fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        let (mut holder, mut lacking, mut failure) = (None, Vec::new(), None);
        let confirms = self.layers.iter().map(|layer| layer.confirm(confirmation));
        for (layer, confirmed) in self.layers.iter().zip(join_all(confirms).await) {
            match confirmed {
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
                    lacking.is_empty() || self.fill(&lacking, holder, confirmation).await;
                failure.filter(|_| is_there).map_or(Ok(is_there), Err)
            }
        }
    }

    /// What the first layer says, where the others hold the same flags: they are told when those were confirmed. Otherwise a
    /// load has to tell, which passes on what one of them lacks.
    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        let mut told: Option<Confirmation> = None;
        let mut behind = Vec::new();
        let mut failure = None;
        let looks = self.layers.iter().map(|layer| layer.held());
        for (layer, held) in self.layers.iter().zip(join_all(looks).await) {
            match (held, &told) {
                (Ok(None), _) => return Ok(None),
                (Ok(Some(held)), None) => told = Some(held),
                (Ok(Some(held)), Some(first)) if !held.is_of_same_flags(first) => return Ok(None),
                (Ok(Some(held)), Some(first)) if held != *first => behind.push(layer),
                (Ok(Some(_)), Some(_)) => {}
                (Err(error), _) => drop(failure.get_or_insert(error)),
            }
        }
        let Some(first) = told else { return failure.map_or(Ok(None), Err) };
        let confirms = behind.iter().map(|layer| layer.confirm(&first));
        for (layer, confirmed) in behind.iter().zip(join_all(confirms).await) {
            if let Err(error) = confirmed {
                debug!(
                    archive = layer.describe(),
                    "an archive did not take a confirmation: {error}"
                );
            }
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
            match layer.load_flag(id, is_wanted).await {
                Ok(Some(flag)) => return Ok(Some(flag)),
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    fn describe(&self) -> String {
        let names: Vec<_> = self.layers.iter().map(|layer| layer.describe()).collect();
        names.join(", then ")
    }

    async fn changed(&self) {
        if self.layers.is_empty() {
            return std::future::pending().await;
        }
        select_all(self.layers.iter().map(|layer| layer.changed())).await;
    }

    /// Layers that nobody shares always say yes, so that the shared one decides.
    async fn leads(&self) -> bool {
        for layer in &self.layers {
            if !layer.leads().await {
                return false;
            }
        }
        true
    }

    async fn release(&self) {
        join_all(self.layers.iter().map(|layer| layer.release())).await;
    }
}

fn report(layer: &dyn FlagArchive, what: &str, error: &ArchiveError) {
    let cause = std::error::Error::source(error).map(tracing::field::display);
    warn!(archive = layer.describe(), cause, "an archive did not {what}: {error}");
}

#[cfg(test)]
mod tests;
