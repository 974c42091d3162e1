//! Buckets: Flagr's, and stable ones that an application computes for itself.
//!
//! A segment with a rollout below 100 % or with several variants hashes the entity's id, and the hash stays inside the
//! evaluator. Where a service wants to steer by ranges instead, it can pass a number of its own and constrain it, as in
//! `user_bucket GTE 0` and `user_bucket LTE 69`; such a flag is decided by its constraints alone:
//!
//! ```
//! use vexilla_eval::{Context, bucket};
//!
//! let document = "123.456.789-09";
//! let ctx = Context::new("user-1")
//!     .with("cpf_bucket", bucket::cpf(document).unwrap_or(-1))
//!     .with("user_bucket", bucket::hash("user-1"));
//! assert_eq!(bucket::cpf(document), Some(67));
//! ```

use crc32fast::Hasher;
use vexilla_domain::FlagId;

/// How many buckets Flagr has.
pub(crate) const BUCKETS: u32 = 1000;

/// What a flag's buckets are salted with: the CRC-32 of its id's decimal text, ready for an entity's id to follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Salt(u32);

impl Salt {
    pub(crate) fn of(flag: FlagId) -> Self {
        Self(crc32fast::hash(flag.to_string().as_bytes()))
    }

    /// The bucket of an entity, 0 to 999 (`flagr-semantics` 5.1).
    #[inline]
    pub(crate) fn bucket(self, entity_id: &str) -> u32 {
        let mut hasher = Hasher::new_with_initial(self.0);
        hasher.update(entity_id.as_bytes());
        hasher.finalize() % BUCKETS
    }
}

/// The bucket, 0 to 99, in a Brazilian CPF: its sixth and seventh digit, which are spread evenly.
///
/// Dots and dashes do not count. `None` when there are fewer than seven characters left, or those two are no digits.
pub fn cpf(number: &str) -> Option<i64> {
    let clean: Vec<char> = number.chars().filter(|it| !matches!(it, '.' | '-')).collect();
    let digit = |at: usize| clean.get(at).and_then(|it| it.to_digit(10));
    Some(i64::from(digit(5)? * 10 + digit(6)?))
}

/// The bucket, 0 to 99, of any stable identifier: its CRC-32 (IEEE) modulo 100, the same in every language.
pub fn hash(identifier: &str) -> i64 {
    i64::from(crc32fast::hash(identifier.as_bytes()) % 100)
}
