//! Keys reach stretto as hashes; these hand them on.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use stretto::KeyBuilder;

/// Takes a key for its own hash. There is no second hash: keys are compared in full, so that it would only keep the
/// later one of two colliding keys out.
#[derive(Debug)]
pub(super) struct AsHashed;

impl KeyBuilder for AsHashed {
    type Key = u64;

    #[inline]
    fn hash_index<Q>(&self, key: &Q) -> u64
    where
        u64: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut hashed = Verbatim(0);
        key.hash(&mut hashed);
        hashed.0
    }
}

/// The last word written.
struct Verbatim(u64);

impl Hasher for Verbatim {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = fold(self.0, bytes);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Spreads hashes over the maps inside stretto. Its 256 maps are told apart by the lowest eight bits, so all hashes in one
/// of them share these, and a hash taken as it is would leave most of the map's places unused.
#[derive(Debug, Default)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = fold(self.0, bytes);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0 ^ value);
    }
}

/// Each bit of the value has its say in each bit of the result.
#[inline]
fn mix(value: u64) -> u64 {
    const ODD: u128 = 0x9E37_79B9_7F4A_7C15; // 2^64 divided by the golden ratio
    let product = u128::from(value) * ODD;
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are folded together")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// For keys that are no integers; stretto has none.
fn fold(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| mix(state.rotate_left(8) ^ u64::from(*byte)))
}
