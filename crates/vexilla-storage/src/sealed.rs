//! Archived flags as bytes that can be trusted when they are read: a header, then the document, compressed.
//!
//! ```text
//! magic (8) | format (4) | length of the header (4) | CRC-32 of all that and the header (4) | header, JSON | body, zstd
//! ```
//!
//! Numbers are little-endian. The header holds the lengths and the CRC-32s of the body and of what comes out of it: a
//! damaged body never reaches the decompressor, and what leaves that is checked again.
//!
//! The body is many frames, one behind the other, cut between flags: so one flag can be read without the others
//! (`sealed/index.rs`). A body of one frame, as it was written once, is the same to every reader.

#[cfg(feature = "disk")]
mod index;

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use vexilla_domain::json::pieces;
use vexilla_domain::{Archived, Confirmation, Marker, Revision};

#[cfg(feature = "disk")]
pub(crate) use index::Index;

const MAGIC: &[u8; 8] = b"VXFLAGS\n";
const FORMAT: u32 = 1;
pub(crate) const PREFIX: usize = MAGIC.len() + 3 * size_of::<u32>();

/// The header is small; a length that says otherwise is damage.
const MAX_HEADER: usize = 64 * 1024;

/// 3 is zstd's own default: twice as fast as 6, and a tenth larger.
const LEVEL: i32 = 3;

/// Bytes whose header and body are as they were written.
#[derive(Debug)]
pub(crate) struct Sealed<'a> {
    header: Header,
    body: &'a [u8],
}

/// Why bytes cannot be used. Reads well after the name of where they were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    #[error("does not hold flags of Vexilla")]
    Foreign,
    #[error("has format {0}, which this version of Vexilla does not read")]
    Format(u32),
    #[error("is cut")]
    Cut,
    #[error("has a damaged header")]
    Header,
    #[error("has damaged contents")]
    Body,
    #[error("holds more than the {0} bytes that are allowed")]
    TooLarge(usize),
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    epoch: u64,
    sequence: u64,
    max_snapshot_id: Option<u64>,
    content: u64,
    refreshed_at_ms: u64,
    source: Box<str>,
    body_bytes: usize,
    body_crc32: u32,
    document_bytes: usize,
    document_crc32: u32,
}

/// Whether bytes that begin like this were written by a later version of Vexilla, as far as the beginning tells.
#[cfg(feature = "disk")]
pub(crate) fn is_of_later_version(start: &[u8]) -> bool {
    let format = start.strip_prefix(MAGIC).and_then(|rest| number(rest).ok());
    format.is_some_and(|(format, _)| FORMAT < format)
}

/// Flags as bytes.
pub(crate) fn seal(flags: &Archived) -> io::Result<Vec<u8>> {
    sealed(flags, &compress(&flags.document)?)
}

/// The same as it was written once.
#[cfg(all(test, feature = "disk"))]
pub(crate) fn seal_in_one_frame(flags: &Archived) -> io::Result<Vec<u8>> {
    sealed(flags, &zstd::encode_all(&*flags.document, LEVEL)?)
}

fn sealed(flags: &Archived, body: &[u8]) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(&Header {
        epoch: flags.revision.epoch,
        sequence: flags.revision.sequence,
        max_snapshot_id: flags.marker.max_snapshot_id,
        content: flags.marker.content,
        refreshed_at_ms: flags.refreshed_at_ms,
        source: flags.source.clone(),
        body_bytes: body.len(),
        body_crc32: crc32fast::hash(body),
        document_bytes: flags.document.len(),
        document_crc32: crc32fast::hash(&flags.document),
    })?;
    if header.len() > MAX_HEADER {
        return Err(io::Error::other("the description of the flags' source is too long"));
    }
    let header_bytes = u32::try_from(header.len()).map_err(io::Error::other)?;

    let mut sealed = Vec::with_capacity(PREFIX + header.len() + body.len());
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&FORMAT.to_le_bytes());
    sealed.extend_from_slice(&header_bytes.to_le_bytes());
    sealed.extend_from_slice(&header_crc32(header_bytes, &header).to_le_bytes());
    sealed.extend_from_slice(&header);
    sealed.extend_from_slice(body);
    Ok(sealed)
}

/// Frames of some twenty flags: read alone they cost little, and they compress well enough.
const FRAME: usize = 16 * 1024;

fn compress(document: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    let mut body = Vec::new();
    let pieces = pieces(document, FRAME);
    if pieces.is_empty() {
        body = compressor.compress(&[])?;
    }
    for piece in pieces {
        body.extend_from_slice(&compressor.compress(piece)?);
    }
    Ok(body)
}

/// How many bytes a document of up to `limit` bytes can take, sealed.
pub(crate) fn most(limit: usize) -> usize {
    // What cannot be compressed grows by a few bytes for each block of 128 KiB.
    limit.saturating_add(limit / 256).saturating_add(PREFIX + MAX_HEADER + 1024)
}

impl<'a> Sealed<'a> {
    /// Checks everything but what is within the body.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (header, body) = Header::read(bytes)?;
        let crc32 = if body.len() < header.body_bytes { 0 } else { crc32fast::hash(body) };
        header.check_body(body.len(), crc32)?;
        Ok(Self { header, body })
    }

    /// What stands for the flags.
    pub(crate) fn confirmation(&self) -> Confirmation {
        let Header { epoch, sequence, content, refreshed_at_ms, .. } = self.header;
        Confirmation { revision: Revision { epoch, sequence }, content, refreshed_at_ms }
    }

    /// Whether both hold exactly the same flags, whenever they were confirmed.
    #[cfg(feature = "disk")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.confirmation().is_of_same_flags(&other.confirmation())
            && self.header.max_snapshot_id == other.header.max_snapshot_id
            && self.header.source == other.header.source
            && self.body == other.body
    }

    /// The flags, if their document is not longer than `limit`, whatever the header says.
    pub(crate) fn open(self, limit: usize) -> Result<Archived, Damage> {
        let revision = self.confirmation().revision;
        if self.header.document_bytes > limit {
            return Err(Damage::TooLarge(limit));
        }
        // JSON of flags becomes ten to twenty times smaller: space is not given on the header's word alone.
        let expected = self.header.document_bytes.min(self.body.len().saturating_mul(32));
        let mut document = Vec::with_capacity(expected);
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let decoder = zstd::Decoder::with_buffer(self.body).map_err(|_| Damage::Body)?;
        decoder.take(most).read_to_end(&mut document).map_err(|_| Damage::Body)?;
        if document.len() > limit {
            return Err(Damage::TooLarge(limit));
        }
        if document.len() != self.header.document_bytes
            || crc32fast::hash(&document) != self.header.document_crc32
        {
            return Err(Damage::Body);
        }
        Ok(Archived {
            document: document.into(),
            marker: Marker {
                max_snapshot_id: self.header.max_snapshot_id,
                content: self.header.content,
            },
            revision,
            refreshed_at_ms: self.header.refreshed_at_ms,
            source: self.header.source,
            origin: Box::default(),
        })
    }
}

impl Header {
    /// Reads it from the beginning of sealed bytes. Gives what is there of the body too.
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Damage> {
        let (magic, rest) = match bytes.split_first_chunk::<{ MAGIC.len() }>() {
            Some(split) => split,
            None if MAGIC.starts_with(bytes) => return Err(Damage::Cut),
            None => return Err(Damage::Foreign),
        };
        if magic != MAGIC {
            return Err(Damage::Foreign);
        }
        let (format, rest) = number(rest)?;
        if format != FORMAT {
            return Err(Damage::Format(format));
        }
        let (header_bytes, rest) = number(rest)?;
        let (header_crc, rest) = number(rest)?;
        let length = usize::try_from(header_bytes).map_err(|_| Damage::Header)?;
        if length > MAX_HEADER {
            return Err(Damage::Header);
        }
        let (header, body) = rest.split_at_checked(length).ok_or(Damage::Cut)?;
        if header_crc32(header_bytes, header) != header_crc {
            return Err(Damage::Header);
        }
        let header: Self = serde_json::from_slice(header).map_err(|_| Damage::Header)?;
        let revision = Revision { epoch: header.epoch, sequence: header.sequence };
        if !revision.is_possible() {
            return Err(Damage::Header);
        }
        Ok((header, body))
    }

    /// Whether this is the length of the body, and its checksum.
    fn check_body(&self, length: usize, crc32: u32) -> Result<(), Damage> {
        if length < self.body_bytes {
            return Err(Damage::Cut);
        }
        if length > self.body_bytes || crc32 != self.body_crc32 {
            return Err(Damage::Body);
        }
        Ok(())
    }
}

fn number(bytes: &[u8]) -> Result<(u32, &[u8]), Damage> {
    let (number, rest) = bytes.split_first_chunk().ok_or(Damage::Cut)?;
    Ok((u32::from_le_bytes(*number), rest))
}

fn header_crc32(length: u32, header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(MAGIC);
    hasher.update(&FORMAT.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(header);
    hasher.finalize()
}

#[cfg(test)]
mod tests;
