//! A batch as requests: in pieces that Flagr accepts, and its answers in their places.

use std::collections::HashSet;
use std::ops::Range;

use vexilla_domain::{Batch, BatchAnswer, FlagId, SelectedBy};

use crate::answer::Received;
use crate::request::{id, key};

/// What a batch selects, in Flagr's order: the flags by tag as one, then each id, then each key, each once.
pub(crate) fn selection(batch: &Batch<'_>) -> Vec<SelectedBy> {
    let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
    let tags = (!batch.flag_tags.is_empty()).then_some(SelectedBy::Tags);
    let ids = batch.flag_ids.iter().filter(|it| ids.insert(**it)).map(|it| SelectedBy::Id(*it));
    let keys = batch.flag_keys.iter().enumerate().filter(|(_, it)| keys.insert(&**it));
    tags.into_iter().chain(ids).chain(keys.map(|(index, _)| SelectedBy::Key(index))).collect()
}

/// Some of a batch's entities with some of its selected flags: one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) entities: Range<usize>,
    pub(crate) flags: Range<usize>,
}

impl Piece {
    /// What Flagr counts it as.
    pub(crate) fn size(&self) -> usize {
        self.entities.len().saturating_mul(self.flags.len())
    }

    /// The same in pieces of at most `limit`. As long as one entity's flags fit together, they stay together.
    pub(crate) fn split(&self, limit: usize) -> Vec<Self> {
        let limit = limit.max(1);
        let pieces = chunks(&self.flags, limit).flat_map(|flags| {
            let entities_each = limit / flags.len().max(1);
            chunks(&self.entities, entities_each.max(1))
                .map(move |entities| Self { entities, flags: flags.clone() })
        });
        pieces.collect()
    }
}

fn chunks(range: &Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let end = range.end;
    range.clone().step_by(length).map(move |from| from..from.saturating_add(length).min(end))
}

/// An answer and its place: the entity, then the flag. Several answers of one place are the flags of a tag.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) place: (usize, usize),
    pub(crate) answer: BatchAnswer,
}

/// Finds the place of each answer. Flagr answers entity by entity, in the order of [`selection`], and repeats with each
/// answer whom and what it is about; it says nothing of how many flags a tag selects.
///
/// # Errors
///
/// If the answers are not those to the request, in a few words.
pub(crate) fn line_up(
    batch: &Batch<'_>,
    selected: &[SelectedBy],
    piece: &Piece,
    received: Vec<Received>,
) -> Result<Vec<Placed>, String> {
    let (entities, all) = (piece.entities.len(), received.len());
    if entities == 0 || all % entities != 0 {
        return Err(format!("{all} results for {entities} entities"));
    }
    let flags = selected.get(piece.flags.clone()).unwrap_or_default();
    let by_tag = flags.iter().filter(|it| **it == SelectedBy::Tags).count();
    let each = all / entities;
    let named = flags.len() - by_tag;
    let Some(tagged) = each.checked_sub(named).filter(|it| by_tag == 1 || *it == 0) else {
        return Err(format!("{each} results for {named} flags"));
    };

    let mut placed = Vec::with_capacity(all);
    let mut received = received.into_iter();
    let mut first_tagged: Option<Vec<FlagId>> = None;
    for entity in piece.entities.clone() {
        let of_entity: Vec<Received> = received.by_ref().take(each).collect();
        if by_tag == 1 {
            let mut ids: Vec<_> = of_entity.iter().take(tagged).map(flag_id).collect();
            ids.sort_unstable_by_key(|it| it.0);
            // Without this, answers of one entity could pass for those of the next where flags changed in between.
            if *first_tagged.get_or_insert_with(|| ids.clone()) != ids {
                return Err("other flags by tag for one entity than for the next".to_owned());
            }
        }
        for (index, received) in of_entity.into_iter().enumerate() {
            let at = (index + by_tag).saturating_sub(tagged);
            let Some(selected_by) = flags.get(at).copied() else {
                return Err("more results than flags".to_owned());
            };
            check_echo(batch, entity, selected_by, &received)?;
            let answer = BatchAnswer { entity, selected_by, answer: received.answer };
            placed.push(Placed { place: (entity, piece.flags.start + at), answer });
        }
    }
    Ok(placed)
}

fn flag_id(received: &Received) -> FlagId {
    received.answer.evaluation.flag.as_ref().map(|it| it.id).unwrap_or_default()
}

fn check_echo(
    batch: &Batch<'_>,
    entity: usize,
    selected_by: SelectedBy,
    received: &Received,
) -> Result<(), String> {
    let echo = &received.echo;
    let asked = batch.entities.get(entity).map_or("", |it| it.entity_id());
    let about_entity = asked.is_empty() || *echo.entity_id == *asked;
    let about_flag = echo.flag_id == id(selected_by).unwrap_or_default()
        && *echo.flag_key == *key(batch, selected_by).unwrap_or_default()
        && echo.by_tags == (selected_by == SelectedBy::Tags);
    if about_entity && about_flag {
        return Ok(());
    }
    Err("results for others than were asked for".to_owned())
}

#[cfg(test)]
mod tests;
