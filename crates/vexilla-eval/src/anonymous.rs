//! An id for an entity that has none.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A random entity id of Flagr's form, fresh for each evaluation. Lives on the stack.
#[derive(Debug, Clone, Copy)]
pub struct AnonymousId {
    text: [u8; PREFIX.len() + 10],
    start: usize,
}

const PREFIX: &[u8] = b"randomly_generated_";

impl AnonymousId {
    /// Draws one. The standard library's per-thread random keys are the source: no lock, no clock, no allocation.
    pub fn random() -> Self {
        let number = RandomState::new().build_hasher().finish() % (1 << 31);
        Self::numbered(number)
    }

    /// Writes the digits at the end and the prefix in front of them.
    fn numbered(mut number: u64) -> Self {
        let mut text = [b'0'; PREFIX.len() + 10];
        let mut start = text.len();
        let mut slots = text.iter_mut().rev();
        loop {
            let digit = b'0' + (number % 10) as u8;
            let Some(slot) = slots.next() else { break };
            *slot = digit;
            start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        for letter in PREFIX.iter().rev() {
            let Some(slot) = slots.next() else { break };
            *slot = *letter;
            start -= 1;
        }
        Self { text, start }
    }

    /// The id: `randomly_generated_` and a number of 31 bits.
    pub fn as_str(&self) -> &str {
        self.text
            .get(self.start..)
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
