//! The ways of records to Flagr: impressions, and evaluations that it is to record.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use vexilla_domain::{
    Batch, Context, DeliveryErrorKind, ExposureSink, FlagId, RemoteErrorKind, RemoteEvaluator,
};

use super::pieces::Pieces;
use super::shown;
use crate::parcel;

/// A record and its number.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) sequence: u64,
    pub(crate) bytes: Arc<[u8]>,
}

/// A batch on its way.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Those that are still to be delivered.
    pub(crate) left: Vec<Item>,
    /// Their last number, and of what is missing before it.
    pub(crate) through: u64,
    /// The numbers of those that arrived.
    pub(crate) arrived: Vec<u64>,
    /// How many Flagr does not want, and why the last of them, as everybody may see it.
    pub(crate) refused: u64,
    pub(crate) refusal: Box<str>,
}

/// Why a batch, or the rest of it, was not delivered now.
#[derive(Debug)]
pub(crate) struct Undelivered {
    /// As everybody may see it.
    pub(crate) message: Box<str>,
    pub(crate) because: Because,
}

/// What an undelivered batch says about Flagr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    /// It is away, or refuses us.
    Failed,
    /// Nobody was asked: the breaker is open.
    Suspended,
    /// It has no path for them.
    NotOffered,
}

/// Brings records to Flagr.
#[async_trait]
pub(crate) trait Delivery: fmt::Debug + Send + Sync {
    /// What it delivers, for people.
    fn what(&self) -> &'static str;

    /// How many may be delivered at once.
    fn most(&self) -> usize {
        usize::MAX
    }

    /// Delivers what is left of a batch. What is delivered is not delivered again when it fails on the way.
    async fn deliver(&self, held: &mut Held) -> Result<(), Undelivered>;
}

impl Held {
    /// The first of those that are left were delivered, but for those at these places.
    fn delivered(&mut self, count: usize, refused: &[usize]) {
        let count = count.min(self.left.len());
        for (at, item) in self.left.drain(..count).enumerate() {
            if refused.contains(&at) {
                self.refused += 1;
            } else {
                self.arrived.push(item.sequence);
            }
        }
    }

    /// Those with these numbers were delivered.
    fn recorded(&mut self, sequences: &[u64]) {
        self.left.retain(|it| !sequences.contains(&it.sequence));
        self.arrived.extend(sequences);
    }

    /// Takes out what cannot be read, which is lost: it was written by another version.
    fn readable(&mut self) -> Vec<vexilla_domain::Exposure> {
        let mut read = Vec::with_capacity(self.left.len());
        let before = self.left.len();
        self.left.retain(|item| {
            let exposure = parcel::read(&item.bytes);
            let is_read = exposure.is_some();
            read.extend(exposure);
            is_read
        });
        let unread = before - read.len();
        if 0 < unread {
            tracing::warn!(count = unread, "records of another version are dropped");
        }
        read
    }
}

/// Impressions.
#[derive(Debug)]
pub(crate) struct Impressions(pub(crate) Arc<dyn ExposureSink>);

#[async_trait]
impl Delivery for Impressions {
    fn what(&self) -> &'static str {
        "exposures"
    }

    fn most(&self) -> usize {
        self.0.most()
    }

    async fn deliver(&self, held: &mut Held) -> Result<(), Undelivered> {
        let exposures = held.readable();
        let mut pieces = Pieces::of(exposures.len());
        while let Some(piece) = pieces.next(self.0.most()) {
            match self.0.send(exposures.get(piece.clone()).unwrap_or_default()).await {
                Ok(errors) => {
                    if let Some(first) = errors.first() {
                        held.refusal = shown::of_row(self.what(), &first.message).into();
                    }
                    let refused: Vec<usize> = errors.iter().map(|it| it.index).collect();
                    held.delivered(piece.len(), &refused);
                }
                Err(error) if error.kind() == DeliveryErrorKind::BadBatch => {
                    if !pieces.halve(&piece) {
                        held.refusal = shown::of_error(self.what(), &error);
                        held.delivered(1, &[0]);
                    }
                }
                Err(error) => {
                    let because = match error.kind() {
                        DeliveryErrorKind::Suspended => Because::Suspended,
                        DeliveryErrorKind::NotOffered => Because::NotOffered,
                        _ => Because::Failed,
                    };
                    let message = shown::of_error(self.what(), &error);
                    return Err(Undelivered { message, because });
                }
            }
        }
        Ok(())
    }
}

/// Evaluations that were decided here, asked of Flagr once more so that it records them.
#[derive(Debug)]
pub(crate) struct Replays(pub(crate) Arc<dyn RemoteEvaluator>);

#[async_trait]
impl Delivery for Replays {
    fn what(&self) -> &'static str {
        "evaluations to be recorded"
    }

    /// One request for each flag, and smaller ones where something in it is at fault.
    async fn deliver(&self, held: &mut Held) -> Result<(), Undelivered> {
        let mut by_flag: HashMap<FlagId, (Vec<u64>, Vec<Context>)> = HashMap::new();
        let evaluations = held.readable();
        for (item, evaluation) in held.left.iter().zip(evaluations) {
            let context = Context::new(evaluation.entity_id)
                .with_entity_type(evaluation.entity_type)
                .with_attributes(evaluation.entity_context);
            let (sequences, contexts) = by_flag.entry(evaluation.flag_id).or_default();
            sequences.push(item.sequence);
            contexts.push(context);
        }
        for (flag, (sequences, entities)) in by_flag {
            let mut pieces = Pieces::of(entities.len());
            while let Some(piece) = pieces.next(self.0.most()) {
                let entities = entities.get(piece.clone()).unwrap_or_default();
                let sequences = sequences.get(piece.clone()).unwrap_or_default();
                let batch = Batch { entities, flag_ids: &[flag.0], ..Batch::default() };
                match self.0.evaluate_batch(batch).await {
                    Ok(_) => held.recorded(sequences),
                    Err(error) => match error.kind() {
                        // It was evaluated, whatever cannot be read of the answer.
                        RemoteErrorKind::BadAnswer => held.recorded(sequences),
                        RemoteErrorKind::BadRequest | RemoteErrorKind::BadFlag => {
                            if !pieces.halve(&piece) {
                                let why = shown::of_error(self.what(), &error);
                                held.refusal = format!("flag {flag}: {why}").into();
                                held.left.retain(|it| !sequences.contains(&it.sequence));
                                held.refused += sequences.len() as u64;
                            }
                        }
                        kind => {
                            let suspended = kind == RemoteErrorKind::Suspended;
                            let because =
                                if suspended { Because::Suspended } else { Because::Failed };
                            let message = shown::of_error(self.what(), &error);
                            return Err(Undelivered { message, because });
                        }
                    },
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
