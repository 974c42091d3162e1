//! The file that says when the source last confirmed the flags of a generation.
//!
//! One line: `vexilla-confirmed 1 EPOCH SEQUENCE CONTENT MILLISECONDS CRC-32`. It names the flags that it speaks of, so it
//! says nothing of other ones, and whatever is not exactly as it would be written says nothing at all.

use vexilla_domain::{Confirmation, Revision};

/// Longer than any such line.
pub(super) const MOST: usize = 256;

pub(super) fn encode(confirmation: &Confirmation) -> String {
    let Confirmation { revision: Revision { epoch, sequence }, content, refreshed_at_ms } =
        confirmation;
    let text = format!("vexilla-confirmed 1 {epoch} {sequence} {content:016x} {refreshed_at_ms}");
    format!("{text} {:08x}\n", crc32fast::hash(text.as_bytes()))
}

pub(super) fn decode(bytes: &[u8]) -> Option<Confirmation> {
    let mut words = str::from_utf8(bytes).ok()?.split(' ').skip(2);
    let mut number = |radix| u64::from_str_radix(words.next()?, radix).ok();
    let confirmation = Confirmation {
        revision: Revision { epoch: number(10)?, sequence: number(10)? },
        content: number(16)?,
        refreshed_at_ms: number(10)?,
    };
    (encode(&confirmation).as_bytes() == bytes).then_some(confirmation)
}
