//! Records as bytes that can be trusted when they are read, wherever in a segment the damage is.
//!
//! ```text
//! segment: magic (8) | format (4) | number of its first record (8) | CRC-32 of all that (4) | records
//! record:  length (4) | number (8) | CRC-32 of the payload (4) | CRC-32 of all that (4) | payload
//! ```
//!
//! Numbers are little-endian. A record's head has a checksum of its own: its length is trusted only then, and a reader
//! that lost its way looks for the next head that is whole.

use std::ops::Range;

const MAGIC: &[u8; 8] = b"VXSPOOL\n";
const FORMAT: u32 = 1;

/// How long a segment's head is.
pub(super) const SEGMENT_HEAD: usize = 24;

/// How long a record's head is.
pub(super) const RECORD_HEAD: usize = 20;

/// No record is longer than this.
pub(super) const MAX_RECORD: usize = 1 << 20;

/// The beginning of a segment.
pub(super) fn segment_head(first: u64) -> Vec<u8> {
    let mut head = Vec::with_capacity(SEGMENT_HEAD);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&FORMAT.to_le_bytes());
    head.extend_from_slice(&first.to_le_bytes());
    seal(head)
}

/// What the beginning of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// The number of its first record.
    First(u64),
    /// It is whole, and of a format that is not known here.
    Format(u32),
    Damaged,
}

pub(super) fn read_segment_head(bytes: &[u8]) -> Head {
    let head = bytes.get(..SEGMENT_HEAD).and_then(unseal);
    let Some(rest) = head.and_then(|it| it.strip_prefix(MAGIC)) else { return Head::Damaged };
    match (number::<4>(rest, 0).map(u32::from_le_bytes), number(rest, 4).map(u64::from_le_bytes)) {
        (Some(FORMAT), Some(first)) => Head::First(first),
        (Some(format), _) => Head::Format(format),
        (None, _) => Head::Damaged,
    }
}

/// Writes a record.
pub(super) fn write_record(out: &mut Vec<u8>, sequence: u64, payload: &[u8]) {
    let mut head = Vec::with_capacity(RECORD_HEAD);
    head.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    head.extend_from_slice(&sequence.to_le_bytes());
    head.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    out.extend_from_slice(&seal(head));
    out.extend_from_slice(payload);
}

/// A record that is whole, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sequence: u64,
    pub(super) payload: Range<usize>,
}

/// The first record that is whole, from here on. What is before it is damaged.
pub(super) fn find_record(bytes: &[u8], mut at: usize) -> Option<Found> {
    while at.checked_add(RECORD_HEAD)? <= bytes.len() {
        match read_head(bytes, at) {
            Some((found, sum)) => match bytes.get(found.payload.clone()) {
                Some(payload) if crc32fast::hash(payload) == sum => return Some(found),
                // Its length is known to be right, so the next one begins behind it.
                Some(_) => at = found.payload.end,
                None => at += 1,
            },
            None => at += 1,
        }
    }
    None
}

fn read_head(bytes: &[u8], at: usize) -> Option<(Found, u32)> {
    let length = u32::from_le_bytes(number(bytes, at)?);
    let length = usize::try_from(length).ok().filter(|it| *it <= MAX_RECORD)?;
    let start = at + RECORD_HEAD;
    let head = unseal(bytes.get(at..start)?)?;
    let sequence = u64::from_le_bytes(number(head, 4)?);
    let sum = u32::from_le_bytes(number(head, 12)?);
    Some((Found { sequence, payload: start..start.checked_add(length)? }, sum))
}

/// Appends a checksum.
pub(super) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// What is before the checksum at the end, if that is right.
pub(super) fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (content, sum) = bytes.split_last_chunk::<4>()?;
    (crc32fast::hash(content) == u32::from_le_bytes(*sum)).then_some(content)
}

/// So many bytes from here.
pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
