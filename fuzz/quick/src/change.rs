//! Random inputs, most of them near one that means something.

use fastrand::Rng;

/// What often decides where parsers go wrong.
const PIECES: [&[u8]; 24] = [
    b"\0",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{}",
    b"[]",
    b"null",
    b"-0",
    b"1e999",
    b"18446744073709551616",
    b"(?i)",
    b"[[:",
    b"\\Q",
    b"(",
    b")",
    b"{1,1001}",
    b"==",
    b" AND ",
    b"/x/",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b",",
    b":",
];

/// An input of `longest` bytes at most.
pub(crate) fn input(seeds: &[Vec<u8>], longest: usize, random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..random.usize(1..8) {
        change(&mut input, seeds, random);
    }
    input.truncate(longest);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(..=input.len());
    let end = (at + random.usize(..16)).min(input.len());
    match random.u8(..7) {
        0 => input.insert(at, random.u8(..)),
        1 => drop(input.drain(at..end)),
        2 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.u8(..8);
            }
        }
        3 => insert(input, at, random.choice(PIECES).unwrap_or_default()),
        4 => {
            let repeated = input.get(at..end).unwrap_or_default().to_vec();
            insert(input, at, &repeated);
        }
        5 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        _ => {
            let other = random.choice(seeds).map(Vec::as_slice).unwrap_or_default();
            let from = random.usize(..=other.len());
            let to = (from + random.usize(..64)).min(other.len());
            insert(input, at, other.get(from..to).unwrap_or_default());
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}
