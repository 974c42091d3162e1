//! What waits: in memory, or in a spool.

use std::collections::VecDeque;

use vexilla_domain::ArchiveError;
#[cfg(feature = "disk")]
use vexilla_storage::{Spool, SpoolConfig};

use super::delivery::Item;
use crate::exposure_config::ExposureConfig;

/// Items in the order of their numbers.
#[derive(Debug)]
pub(super) enum Backlog {
    /// Bounded by whoever lets records in; gone with the process.
    Memory(Memory),
    #[cfg(feature = "disk")]
    Spool(Box<Spool>),
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    items: VecDeque<Item>,
    appended: u64,
    settled: u64,
}

/// What became of items that are done with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Those that did not arrive.
    pub(super) lost: u64,
    /// Those that no longer take a place in memory, and their bytes.
    pub(super) freed: (usize, usize),
}

#[cfg_attr(not(feature = "disk"), expect(clippy::unnecessary_wraps, reason = "a spool may fail"))]
impl Backlog {
    #[cfg_attr(
        not(feature = "disk"),
        expect(clippy::unused_async, unused_variables, reason = "the disk is waited for")
    )]
    pub(super) async fn open(
        config: &ExposureConfig,
        folder: &'static str,
    ) -> Result<Self, ArchiveError> {
        #[cfg(feature = "disk")]
        if let Some(spool) = &config.spool {
            let path = spool.join(folder);
            let mut limits = SpoolConfig::default();
            limits.max_bytes = config.spool_bytes;
            let opened = tokio::task::spawn_blocking(move || Spool::open(path, &limits)).await;
            let opened = opened.map_err(|error| {
                let kind = vexilla_domain::ArchiveErrorKind::Unavailable;
                ArchiveError::new(kind, "opening the spool was given up").with_source(error)
            })?;
            return Ok(Self::Spool(Box::new(opened?)));
        }
        Ok(Self::Memory(Memory::default()))
    }

    /// Whether its records are there after a restart.
    pub(super) fn outlives(&self) -> bool {
        !matches!(self, Self::Memory(_))
    }

    /// Keeps records, all or none. Others may be dropped for them, even if that fails.
    pub(super) fn append(&mut self, records: Vec<Box<[u8]>>) -> Result<(), ArchiveError> {
        match self {
            Self::Memory(memory) => {
                for record in records {
                    memory.appended += 1;
                    memory
                        .items
                        .push_back(Item { sequence: memory.appended, bytes: record.into() });
                }
                Ok(())
            }
            #[cfg(feature = "disk")]
            Self::Spool(spool) => spool.append(&records),
        }
    }

    /// The oldest items, so many at most, and the number up to which that is all there is.
    pub(super) fn look(&mut self, most: usize) -> Result<(Vec<Item>, u64), ArchiveError> {
        match self {
            Self::Memory(memory) => {
                let mut bytes = 0;
                let fits = |item: &&Item| {
                    let fits = bytes < MOST_BYTES;
                    bytes += item.bytes.len();
                    fits
                };
                let items: Vec<Item> =
                    memory.items.iter().take(most).take_while(fits).cloned().collect();
                let through = items.last().map_or(memory.appended, |it| it.sequence);
                Ok((items, through))
            }
            #[cfg(feature = "disk")]
            Self::Spool(spool) => {
                let portion = spool.look(most, MOST_BYTES)?;
                let item =
                    |(sequence, bytes): (u64, Box<[u8]>)| Item { sequence, bytes: bytes.into() };
                Ok((portion.records.into_iter().map(item).collect(), portion.through))
            }
        }
    }

    /// Is done with all items up to this number, those that arrived and the others.
    pub(super) fn settle(&mut self, through: u64, arrived: u64) -> Settled {
        match self {
            Self::Memory(memory) => {
                let before = memory.settled;
                let mut freed = (0, 0);
                let through = through.min(memory.appended);
                while let Some(item) = memory.items.front().filter(|it| it.sequence <= through) {
                    freed = (freed.0 + 1, freed.1 + item.bytes.len());
                    memory.items.pop_front();
                }
                memory.settled = before.max(through);
                let lost = (memory.settled - before).saturating_sub(arrived);
                Settled { lost, freed }
            }
            #[cfg(feature = "disk")]
            Self::Spool(spool) => Settled { lost: spool.settle(through, arrived), freed: (0, 0) },
        }
    }

    pub(super) fn settled(&self) -> u64 {
        match self {
            Self::Memory(memory) => memory.settled,
            #[cfg(feature = "disk")]
            Self::Spool(spool) => spool.settled(),
        }
    }

    pub(super) fn queued(&self) -> u64 {
        match self {
            Self::Memory(memory) => memory.appended - memory.settled,
            #[cfg(feature = "disk")]
            Self::Spool(spool) => spool.queued(),
        }
    }

    /// What waits on the disk takes so many bytes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            #[cfg(feature = "disk")]
            Self::Spool(spool) => spool.queued_bytes(),
        }
    }

    /// What was lost in the life of the spool.
    pub(super) fn dropped(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            #[cfg(feature = "disk")]
            Self::Spool(spool) => spool.dropped(),
        }
    }

    pub(super) fn sync(&mut self) -> Result<(), ArchiveError> {
        match self {
            Self::Memory(_) => Ok(()),
            #[cfg(feature = "disk")]
            Self::Spool(spool) => spool.sync(),
        }
    }
}

/// A batch that has so many bytes gets no further items.
const MOST_BYTES: usize = 1 << 20;
