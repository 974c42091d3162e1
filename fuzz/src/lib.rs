//! What the fuzz targets check. Each target is a module with `check`, which takes any bytes and panics where a promise
//! is broken, and says in its first lines how the bytes are read; `README.md` says how to run them.
//!
//! A target that only waits for panics finds little, so each one holds something against something else.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a target reports"
)]

pub mod archive;
pub mod condition;
pub mod context;
pub mod flags;
pub mod pattern;
pub mod request;
pub mod webhook;

mod conditions;
mod engine;
mod naive;
mod rollouts;

/// The parts of an input, which NUL bytes separate; all of them are text.
fn parts<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let mut parts = input.splitn(N, |byte| *byte == 0);
    let mut texts = [""; N];
    for text in &mut texts {
        *text = std::str::from_utf8(parts.next()?).ok()?;
    }
    Some(texts)
}
