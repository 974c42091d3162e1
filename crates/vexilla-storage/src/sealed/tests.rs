//! What was sealed comes back; anything else is an error.

use std::io::Write;

use super::{Damage, FORMAT, Header, MAGIC, MAX_HEADER, PREFIX, Sealed, header_crc32, most, seal};
use crate::sample::flags;
use vexilla_domain::{Archived, Revision};

const LIMIT: usize = 1 << 20;

fn open(bytes: &[u8]) -> Result<Archived, Damage> {
    Sealed::read(bytes)?.open(LIMIT)
}

/// An archive with this header, whose own checksum is right.
fn forged(header: &Header, body: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(header).unwrap();
    let length = u32::try_from(header.len()).unwrap();
    let mut bytes = MAGIC.to_vec();
    for number in [FORMAT, length, header_crc32(length, &header)] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(body);
    bytes
}

fn header(body: &[u8], document_bytes: usize, document_crc32: u32) -> Header {
    Header {
        epoch: 1,
        sequence: 2,
        max_snapshot_id: None,
        content: 3,
        refreshed_at_ms: 4,
        source: "file".into(),
        body_bytes: body.len(),
        body_crc32: crc32fast::hash(body),
        document_bytes,
        document_crc32,
    }
}

#[test]
fn what_was_sealed_comes_back() {
    let unusual = Archived {
        document: (0..=u8::MAX).cycle().take(300_000).collect(),
        revision: Revision { epoch: Revision::MOST - 1, sequence: Revision::MOST - 1 },
        source: "a \"source\"\nof ünusual name".into(),
        ..Archived::default()
    };
    for flags in [Archived::default(), flags(3, 7), unusual] {
        let sealed = seal(&flags).unwrap();
        assert_eq!(Sealed::read(&sealed).unwrap().confirmation(), flags.confirmation());
        assert_eq!(open(&sealed).unwrap(), flags);
    }
}

#[test]
fn several_frames_are_one_document() {
    let (one, other) = (b"{\"Flags\":[".as_slice(), b"]}\n".as_slice());
    let body = [zstd::encode_all(one, 3).unwrap(), zstd::encode_all(other, 3).unwrap()].concat();
    let document = [one, other].concat();
    let bytes = forged(&header(&body, document.len(), crc32fast::hash(&document)), &body);
    assert_eq!(*open(&bytes).unwrap().document, *document);
}

#[test]
fn the_largest_document_stays_within_what_is_read() {
    // Random bytes cannot be compressed.
    let mut random = fastrand::Rng::with_seed(1);
    let document: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(LIMIT).collect();
    let source = "\n".repeat(MAX_HEADER / 2 - 500).into();
    let flags = Archived { document: document.into(), source, ..Archived::default() };
    let sealed = seal(&flags).unwrap();
    assert!(sealed.len() <= most(LIMIT), "{} bytes", sealed.len());
    assert_eq!(open(&sealed).unwrap(), flags);
    assert_eq!(most(usize::MAX), usize::MAX);
}

#[test]
fn a_source_that_is_described_at_length_is_refused() {
    let flags = Archived { source: "x".repeat(MAX_HEADER).into(), ..Archived::default() };
    assert!(seal(&flags).unwrap_err().to_string().contains("too long"));
}

#[test]
fn each_cut_and_each_flipped_bit_is_noticed() {
    let sealed = seal(&flags(1, 2)).unwrap();
    for length in 0..sealed.len() {
        assert_eq!(open(&sealed[..length]).unwrap_err(), Damage::Cut, "{length} bytes are left");
    }
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut bytes = sealed.clone();
            bytes[index] ^= 1 << bit;
            open(&bytes).unwrap_err();
        }
    }
}

#[test]
fn damage_is_named() {
    let sealed = seal(&flags(1, 2)).unwrap();
    let with = |index: usize, byte: u8| {
        let mut bytes = sealed.clone();
        bytes[index] = byte;
        open(&bytes).unwrap_err().to_string()
    };
    assert_eq!(with(0, b'v'), "does not hold flags of Vexilla");
    assert_eq!(with(8, 2), "has format 2, which this version of Vexilla does not read");
    assert_eq!(with(PREFIX, b'['), "has a damaged header");
    assert_eq!(with(sealed.len() - 1, 0xFF), "has damaged contents");
    assert_eq!(open(b"REDIS0011 and so on").unwrap_err(), Damage::Foreign);
    assert_eq!(open(b"x").unwrap_err(), Damage::Foreign);
    assert_eq!(open(&[&sealed[..], b"more"].concat()).unwrap_err(), Damage::Body);
}

#[test]
fn lengths_in_the_bytes_are_not_trusted() {
    let body = zstd::encode_all(&*vec![b' '; 3 * LIMIT], 19).unwrap();
    assert!(body.len() < 1000, "a bomb of {} bytes", body.len());
    let check = |document_bytes: usize, damage: Damage| {
        let bytes = forged(&header(&body, document_bytes, 0), &body);
        assert_eq!(open(&bytes).unwrap_err(), damage);
    };
    check(3 * LIMIT, Damage::TooLarge(LIMIT)); // honest
    check(usize::MAX, Damage::TooLarge(LIMIT));
    check(LIMIT, Damage::TooLarge(LIMIT)); // a liar
    check(0, Damage::TooLarge(LIMIT));

    let mut long = MAGIC.to_vec();
    for number in [FORMAT, u32::MAX, 0] {
        long.extend_from_slice(&number.to_le_bytes());
    }
    assert_eq!(open(&long).unwrap_err(), Damage::Header);

    // A window of 2 GiB, as a decompressor without a limit would allocate.
    let mut frame = Vec::new();
    let mut encoder = zstd::Encoder::new(&mut frame, 1).unwrap();
    encoder.window_log(31).unwrap();
    encoder.write_all(b"{}").unwrap();
    encoder.flush().unwrap();
    encoder.finish().unwrap();
    let bytes = forged(&header(&frame, 2, crc32fast::hash(b"{}")), &frame);
    assert_eq!(open(&bytes).unwrap_err(), Damage::Body);
}

/// One hundred thousand archives with damage of many kinds, of which none may be taken for flags that nobody saved.
#[test]
fn random_damage_never_makes_other_flags() {
    let mut random = fastrand::Rng::with_seed(5);
    let originals: Vec<_> = (1..4).map(|n| flags(n, 10 * n)).collect();
    let sealed: Vec<_> = originals.iter().map(|it| seal(it).unwrap()).collect();
    let (mut refused, mut unharmed) = (0, 0);
    for case in 0..100_000 {
        let mut bytes = sealed[random.usize(..sealed.len())].clone();
        for _ in 0..random.usize(1..4) {
            damage(&mut bytes, &sealed, &mut random);
        }
        match open(&bytes) {
            Err(_) => refused += 1,
            Ok(flags) => {
                assert!(sealed.contains(&bytes), "case {case} was taken though it was damaged");
                assert!(originals.contains(&flags), "case {case} gave flags that nobody saved");
                unharmed += 1;
            }
        }
    }
    assert!(refused > 90_000, "only {refused} cases were damaged");
    assert!(unharmed > 0, "some damage undoes itself, as copying a byte over an equal one");
}

fn damage(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut fastrand::Rng) {
    let other = &others[random.usize(..others.len())];
    let at = random.usize(..=bytes.len());
    let end = random.usize(at..=bytes.len());
    match random.u8(..8) {
        0 => bytes.truncate(at),
        1 => bytes[at..end].fill(0),
        2 => bytes.iter_mut().skip(at).take(1).for_each(|it| *it ^= 1 << random.u8(..8)),
        3 => bytes.iter_mut().skip(at).take(9).for_each(|it| *it = random.u8(..)),
        4 => drop(bytes.drain(at..end)),
        5 => bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(9)),
        // A block of another archive, in its own place: as a disk leaves it that wrote only some blocks.
        6 => bytes.iter_mut().zip(other).skip(at).take(end - at).for_each(|(it, new)| *it = *new),
        _ => *bytes = [&bytes[..at], &other[at.min(other.len())..]].concat(),
    }
}
