//! Entities for the buckets that decide a flag.

use fastrand::Rng;
use vexilla_domain::{Flag, FlagId};

/// How many buckets Flagr has.
const BUCKETS: u32 = 1000;

/// So many tries leave a bucket without an entity once in a million flags.
const MOST_TRIES: u32 = 25_000;

/// The buckets at which a flag's outcome may change: the ends of its ranges and of what the rollouts let through, each
/// with its neighbours.
pub(crate) fn edges(flag: &Flag) -> Vec<u32> {
    let mut edges = vec![0, BUCKETS - 1];
    for segment in &flag.segments {
        let mut start: u64 = 0;
        for row in &segment.distributions {
            let end = start.saturating_add(row.percent.saturating_mul(10));
            let width = end.saturating_sub(start).saturating_sub(1);
            let last = start.saturating_add(width.saturating_mul(segment.rollout_percent) / 100);
            for edge in [start, end, last] {
                let around = edge.saturating_sub(1)..=edge.saturating_add(1);
                edges.extend(around.filter_map(|it| u32::try_from(it).ok()));
            }
            start = end;
        }
    }
    edges.retain(|it| *it < BUCKETS);
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// An entity of each bucket of a flag.
pub(crate) struct Entities {
    /// The number in the id of each bucket's entity.
    numbers: Box<[u32]>,
}

impl Entities {
    /// Looks for them: some 7,500 hashes.
    pub(crate) fn find(flag: FlagId, rng: &mut Rng) -> Self {
        let salt =
            crc32fast::Hasher::new_with_initial(crc32fast::hash(flag.to_string().as_bytes()));
        let mut found = [None; BUCKETS as usize];
        let mut missing = found.len();
        for _ in 0..MOST_TRIES {
            if missing == 0 {
                break;
            }
            let number = rng.u32(..);
            let mut hasher = salt.clone();
            hasher.update(id(number).as_bytes());
            let bucket = usize::try_from(hasher.finalize() % BUCKETS).unwrap_or_default();
            if let Some(slot @ None) = found.get_mut(bucket) {
                *slot = Some(number);
                missing -= 1;
            }
        }
        Self { numbers: found.into_iter().map(Option::unwrap_or_default).collect() }
    }

    /// The id of the entity in this bucket.
    pub(crate) fn of(&self, bucket: u32) -> String {
        let place = usize::try_from(bucket).unwrap_or_default();
        id(self.numbers.get(place).copied().unwrap_or_default())
    }
}

fn id(number: u32) -> String {
    format!("user-{number}")
}

/// An id of an unusual form: nothing in it may be trimmed, folded or normalised.
pub(crate) fn odd_entity(rng: &mut Rng) -> String {
    const FORMS: [&str; 8] = [" ", "É", "e\u{301}", "用户", "1", "A ", "\u{1F600}", "a\"b\\c"];
    let form = rng.choice(FORMS).unwrap_or_default();
    format!("{form}{}", rng.u16(..))
}
