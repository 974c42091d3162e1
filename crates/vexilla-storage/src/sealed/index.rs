//! Where each flag is in sealed bytes, so that one can be read without the others.

use std::io::{self, Read, Seek, SeekFrom};

use vexilla_domain::json::{flags_in, read_written};
use vexilla_domain::{Flag, FlagId};
use zstd::bulk::Decompressor;
use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

use super::{Damage, Header, MAX_HEADER, PREFIX};

/// The frames of flags. It holds no flags, and takes sixteen bytes for each.
#[derive(Debug)]
pub(crate) struct Index {
    frames: Vec<Frame>,
    /// By id.
    flags: Vec<(FlagId, u32)>,
}

#[derive(Debug)]
struct Frame {
    /// From the start of the sealed bytes.
    start: u64,
    length: u32,
    crc32: u32,
    content: u32,
}

impl Index {
    /// Goes through sealed bytes whose document is not longer than `limit`, frame by frame, and checks them as
    /// [`Sealed::open`](super::Sealed::open) does. It holds one frame at a time.
    pub(crate) fn read<E: From<Damage> + From<io::Error>>(
        sealed: &mut (impl Read + Seek),
        limit: usize,
    ) -> Result<Self, E> {
        let (start, header) = checked::<E>(sealed)?;
        if limit < header.document_bytes {
            return Err(Damage::TooLarge(limit).into());
        }
        let mut index = Self { frames: Vec::new(), flags: Vec::new() };
        let mut decompressor = Decompressor::new().map_err(|_| Damage::Body)?;
        let mut document = crc32fast::Hasher::new();
        let (mut start, mut left) = (start, header.document_bytes);
        sealed.seek(SeekFrom::Start(start))?;
        let mut window = Window::default();
        while let Some(frame) = window.next::<E>(sealed)? {
            // What was written as a stream does not say how long it is.
            let content = get_frame_content_size(frame).map_err(|_| Damage::Body)?;
            let content = content.and_then(|it| usize::try_from(it).ok()).unwrap_or(left);
            if left < content {
                return Err(Damage::Body.into());
            }
            let piece = decompressor.decompress(frame, content).map_err(|_| Damage::Body)?;
            left = left.checked_sub(piece.len()).ok_or(Damage::Body)?;
            document.update(&piece);
            start += index.add(start, frame, &piece).ok_or(Damage::Body)?;
        }
        if left != 0 || document.finalize() != header.document_crc32 {
            return Err(Damage::Body.into());
        }
        // Of several with one id the first is found, as in the document.
        index.flags.sort_unstable();
        index.flags.shrink_to_fit();
        Ok(index)
    }

    /// Gives the length of the frame. `None` where something is longer than four GiB.
    fn add(&mut self, start: u64, frame: &[u8], piece: &[u8]) -> Option<u64> {
        let number = u32::try_from(self.frames.len()).ok()?;
        self.flags.extend(flags_in(piece).into_iter().map(|(id, _)| (id, number)));
        self.frames.push(Frame {
            start,
            length: u32::try_from(frame.len()).ok()?,
            crc32: crc32fast::hash(frame),
            content: u32::try_from(piece.len()).ok()?,
        });
        u64::try_from(frame.len()).ok()
    }

    /// The flag with this id out of the bytes that the index was made of. `read_at` gives so many of them from a place.
    pub(crate) fn flag<E: From<Damage>>(
        &self,
        id: FlagId,
        read_at: impl FnOnce(u64, usize) -> Result<Vec<u8>, E>,
    ) -> Result<Option<Flag>, E> {
        let at = self.flags.partition_point(|it| it.0 < id);
        let Some((_, frame)) = self.flags.get(at).filter(|it| it.0 == id) else { return Ok(None) };
        let frame = self.frames.get(*frame as usize).ok_or(Damage::Body)?;
        let bytes = read_at(frame.start, frame.length as usize)?;
        if crc32fast::hash(&bytes) != frame.crc32 {
            return Err(Damage::Body.into());
        }
        let piece = zstd::bulk::decompress(&bytes, frame.content as usize);
        let piece = piece.map_err(|_| Damage::Body)?;
        let place = flags_in(&piece).into_iter().find(|it| it.0 == id).ok_or(Damage::Body)?.1;
        let text = piece.get(place).ok_or(Damage::Body)?;
        Ok(Some(read_written(text).map_err(|_| Damage::Body)?))
    }
}

/// Checks all of the sealed bytes but what is within the body. Gives where that begins.
fn checked<E: From<Damage> + From<io::Error>>(sealed: &mut impl Read) -> Result<(u64, Header), E> {
    let most = u64::try_from(PREFIX + MAX_HEADER).unwrap_or(u64::MAX);
    let mut beginning = Vec::new();
    sealed.by_ref().take(most).read_to_end(&mut beginning)?;
    let (header, part) = Header::read(&beginning)?;
    let start = beginning.len() - part.len();
    let (mut length, mut body) = (part.len(), crc32fast::Hasher::new());
    body.update(part);
    let mut buffer = vec![0; PART];
    loop {
        let read = match sealed.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            break;
        }
        length = length.saturating_add(read);
        body.update(buffer.get(..read).unwrap_or_default());
    }
    header.check_body(length, body.finalize())?;
    Ok((u64::try_from(start).unwrap_or(u64::MAX), header))
}

const PART: usize = 64 * 1024;

/// A part of a body, from the frame that comes next.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    /// What was given already.
    given: usize,
}

impl Window {
    /// The next frame, `None` at the end.
    fn next<E: From<Damage> + From<io::Error>>(
        &mut self,
        body: &mut impl Read,
    ) -> Result<Option<&[u8]>, E> {
        self.bytes.drain(..self.given);
        self.given = 0;
        let most = u64::try_from(PART).unwrap_or(u64::MAX);
        loop {
            // A frame that is not all there is an error like one that is damaged.
            if let Ok(length) = find_frame_compressed_size(&self.bytes)
                && 0 < length
                && length <= self.bytes.len()
            {
                self.given = length;
                return Ok(self.bytes.get(..length));
            }
            if body.by_ref().take(most).read_to_end(&mut self.bytes)? == 0 {
                return if self.bytes.is_empty() { Ok(None) } else { Err(Damage::Body.into()) };
            }
        }
    }
}
