//! How far a spool has come. Two slots that are written in turn: one of them is always whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::record::{number, seal, unseal};
use crate::folder_lock::private;

/// How far apart the slots are.
const SLOT: u64 = 64;

/// How long a slot's content is, with its checksum.
const LENGTH: usize = 4 * 8 + 4;

/// What is known of the records of a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// Up to this number all records are done with: sent, or counted as dropped.
    pub(super) settled: u64,
    /// The number of the newest record.
    pub(super) appended: u64,
    /// How many were dropped since the spool was made.
    pub(super) dropped: u64,
}

/// The file that keeps them.
#[derive(Debug)]
pub(super) struct MarksFile {
    file: File,
    turn: u64,
}

impl MarksFile {
    /// Opens the file, made if it is not there, and gives what it keeps, if that is whole.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Option<Marks>)> {
        let mut options: OpenOptions = private();
        let mut file = options.read(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(2 * SLOT).read_to_end(&mut bytes)?;
        let second = usize::try_from(SLOT).unwrap_or_default();
        let slots = [0, second].map(|at| read_slot(bytes.get(at..).unwrap_or_default()));
        let newest = slots.into_iter().flatten().max_by_key(|it| it.0);
        let turn = newest.map_or(0, |it| it.0);
        Ok((Self { file, turn }, newest.map(|it| it.1)))
    }

    pub(super) fn write(&mut self, marks: Marks) -> io::Result<()> {
        let turn = self.turn.wrapping_add(1);
        let mut slot = Vec::with_capacity(LENGTH);
        for number in [turn, marks.settled, marks.appended, marks.dropped] {
            slot.extend_from_slice(&number.to_le_bytes());
        }
        self.file.seek(SeekFrom::Start(turn % 2 * SLOT))?;
        self.file.write_all(&seal(slot))?;
        self.turn = turn;
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn read_slot(bytes: &[u8]) -> Option<(u64, Marks)> {
    let slot = unseal(bytes.get(..LENGTH)?)?;
    let at = |at| number(slot, at).map(u64::from_le_bytes);
    Some((at(0)?, Marks { settled: at(8)?, appended: at(16)?, dropped: at(24)? }))
}
