//! Whether a binary of Linux is static: the system loads it by itself, or by a program that the binary names.

use anyhow::{Context, Result, ensure};

const MAGIC: &[u8] = b"\x7fELF";
/// The fifth byte says that addresses have 64 bits, the sixth that the lowest byte comes first.
const WIDE_LITTLE: &[u8] = &[2, 1];
/// The kind of segment that names who loads the binary.
const INTERPRETER: u32 = 3;

/// Whether another program has to load this binary, with the libraries that it needs.
pub(super) fn needs_interpreter(binary: &[u8]) -> Result<bool> {
    ensure!(binary.starts_with(MAGIC), "it is no ELF file");
    ensure!(binary.get(4..6) == Some(WIDE_LITTLE), "it is for a machine that is not known here");
    let table = u64::from_le_bytes(bytes(binary, 0x20)?);
    let size = u64::from(u16::from_le_bytes(bytes(binary, 0x36)?));
    let count = u64::from(u16::from_le_bytes(bytes(binary, 0x38)?));
    ensure!(count > 0, "it has no segments");
    for index in 0..count {
        let at = size.checked_mul(index).and_then(|it| it.checked_add(table));
        let at = at.and_then(|it| usize::try_from(it).ok()).context("its segments lie nowhere")?;
        if u32::from_le_bytes(bytes(binary, at)?) == INTERPRETER {
            return Ok(true);
        }
    }
    Ok(false)
}

fn bytes<const N: usize>(binary: &[u8], at: usize) -> Result<[u8; N]> {
    let found = binary.get(at..).and_then(|it| it.first_chunk());
    found.copied().context("it is cut off")
}

#[cfg(test)]
mod tests;
