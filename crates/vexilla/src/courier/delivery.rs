//! The ways of records to Flagr: impressions, and evaluations that it is to record.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use vexilla_domain::{
    Batch, Context, DeliveryErrorKind, ExposureSink, FlagId, Observer, RemoteErrorKind,
    RemoteEvaluator,
};

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
    /// Nobody was asked: the breaker is open.
    pub(crate) suspended: bool,
}

/// Brings records to Flagr.
#[async_trait]
pub(crate) trait Delivery: fmt::Debug + Send + Sync {
    /// What it delivers, for people.
    fn what(&self) -> &'static str;

    /// Tells that so many arrived.
    fn tell_sent(&self, observer: &dyn Observer, count: u64);

    /// Tells that so many are lost.
    fn tell_dropped(&self, observer: &dyn Observer, count: u64);

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

    fn tell_sent(&self, observer: &dyn Observer, count: u64) {
        observer.exposures_sent(count);
    }

    fn tell_dropped(&self, observer: &dyn Observer, count: u64) {
        observer.exposures_dropped(count);
    }

    fn most(&self) -> usize {
        self.0.most()
    }

    async fn deliver(&self, held: &mut Held) -> Result<(), Undelivered> {
        let exposures = held.readable();
        let (mut at, mut size) = (0, exposures.len());
        while let Some(rest) = exposures.get(at..).filter(|it| !it.is_empty()) {
            size = size.min(rest.len()).min(self.0.most()).max(1);
            match self.0.send(rest.get(..size).unwrap_or(rest)).await {
                Ok(errors) => {
                    if let Some(first) = errors.first() {
                        held.refusal = shown::of_row(self.what(), &first.message).into();
                    }
                    let refused: Vec<usize> = errors.iter().map(|it| it.index).collect();
                    held.delivered(size, &refused);
                    at += size;
                }
                // One of them is at fault: in smaller pieces the others arrive.
                Err(error) if error.kind() == DeliveryErrorKind::BadBatch => {
                    if size == 1 {
                        held.refusal = shown::of_error(self.what(), &error);
                        held.delivered(1, &[0]);
                        at += 1;
                        size = usize::MAX;
                    } else {
                        size /= 2;
                    }
                }
                Err(error) => {
                    let suspended = error.kind() == DeliveryErrorKind::Suspended;
                    return Err(Undelivered {
                        message: shown::of_error(self.what(), &error),
                        suspended,
                    });
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

    fn tell_sent(&self, observer: &dyn Observer, count: u64) {
        observer.replays_sent(count);
    }

    fn tell_dropped(&self, observer: &dyn Observer, count: u64) {
        observer.replays_dropped(count);
    }

    /// One request for each flag.
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
            let batch = Batch { entities: &entities, flag_ids: &[flag.0], ..Batch::default() };
            let arrived = match self.0.evaluate_batch(batch).await {
                Ok(_) => true,
                Err(error) if error.kind() == RemoteErrorKind::BadFlag => {
                    held.refusal =
                        format!("flag {flag}: {}", shown::of_error(self.what(), &error)).into();
                    false
                }
                Err(error) => {
                    let suspended = error.kind() == RemoteErrorKind::Suspended;
                    return Err(Undelivered {
                        message: shown::of_error(self.what(), &error),
                        suspended,
                    });
                }
            };
            held.left.retain(|it| !sequences.contains(&it.sequence));
            if arrived {
                held.arrived.extend(sequences);
            } else {
                held.refused += sequences.len() as u64;
            }
        }
        Ok(())
    }
}
