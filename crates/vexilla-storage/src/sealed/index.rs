//! Where each flag is in sealed bytes, so that one can be read without the others.

use std::collections::HashMap;
use std::ops::Range;

use vexilla_domain::json::{flags_in, read_written};
use vexilla_domain::{Flag, FlagId};
use zstd::bulk::Decompressor;
use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

use super::{Damage, Sealed};

/// The places of flags. It holds no flags, and takes some forty bytes for each.
#[derive(Debug)]
pub(crate) struct Index {
    frames: Vec<Frame>,
    flags: HashMap<FlagId, Place>,
}

#[derive(Debug)]
struct Frame {
    /// From the start of the sealed bytes.
    start: u64,
    length: u32,
    crc32: u32,
    content: u32,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    frame: u32,
    start: u32,
    end: u32,
}

impl Index {
    /// Goes through bytes whose document is not longer than `limit`, frame by frame, and checks them as
    /// [`Sealed::open`] does.
    pub(crate) fn read(bytes: &[u8], limit: usize) -> Result<Self, Damage> {
        let Sealed { header, body } = Sealed::read(bytes)?;
        if limit < header.document_bytes {
            return Err(Damage::TooLarge(limit));
        }
        let mut index = Self { frames: Vec::new(), flags: HashMap::new() };
        let mut decompressor = Decompressor::new().map_err(|_| Damage::Body)?;
        let mut document = crc32fast::Hasher::new();
        let (mut rest, mut left) = (body, header.document_bytes);
        while !rest.is_empty() {
            let length = find_frame_compressed_size(rest).map_err(|_| Damage::Body)?;
            let (frame, behind) = rest.split_at_checked(length).ok_or(Damage::Body)?;
            // What was written as a stream does not say how long it is.
            let content = get_frame_content_size(frame).map_err(|_| Damage::Body)?;
            let content = content.and_then(|it| usize::try_from(it).ok()).unwrap_or(left);
            if left < content {
                return Err(Damage::Body);
            }
            let piece = decompressor.decompress(frame, content).map_err(|_| Damage::Body)?;
            left = left.checked_sub(piece.len()).ok_or(Damage::Body)?;
            document.update(&piece);
            let start = bytes.len() - rest.len();
            index.add(start, frame, &piece).ok_or(Damage::Body)?;
            rest = behind;
        }
        if left != 0 || document.finalize() != header.document_crc32 {
            return Err(Damage::Body);
        }
        index.flags.shrink_to_fit();
        Ok(index)
    }

    /// `None` where something is longer than four GiB.
    fn add(&mut self, start: usize, frame: &[u8], piece: &[u8]) -> Option<()> {
        let number = u32::try_from(self.frames.len()).ok()?;
        for (id, Range { start, end }) in flags_in(piece) {
            let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
            self.flags.insert(id, Place { frame: number, start, end });
        }
        self.frames.push(Frame {
            start: u64::try_from(start).ok()?,
            length: u32::try_from(frame.len()).ok()?,
            crc32: crc32fast::hash(frame),
            content: u32::try_from(piece.len()).ok()?,
        });
        Some(())
    }

    /// The flag with this id out of the bytes that the index was made of. `read_at` gives so many of them from a place.
    pub(crate) fn flag<E: From<Damage>>(
        &self,
        id: FlagId,
        read_at: impl FnOnce(u64, usize) -> Result<Vec<u8>, E>,
    ) -> Result<Option<Flag>, E> {
        let Some(place) = self.flags.get(&id) else { return Ok(None) };
        let frame = self.frames.get(place.frame as usize).ok_or(Damage::Body)?;
        let bytes = read_at(frame.start, frame.length as usize)?;
        if crc32fast::hash(&bytes) != frame.crc32 {
            return Err(Damage::Body.into());
        }
        let piece = zstd::bulk::decompress(&bytes, frame.content as usize);
        let piece = piece.map_err(|_| Damage::Body)?;
        let text = piece.get(place.start as usize..place.end as usize).ok_or(Damage::Body)?;
        Ok(Some(read_written(text).map_err(|_| Damage::Body)?))
    }
}
