//! Secrets that callers have to know.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use vexilla_domain::Secret;

/// Whether a caller knows the secret. How long that takes tells nothing of it, not even its length. An empty secret is
/// known to nobody.
pub(crate) fn knows(secret: &Secret, guess: &[u8]) -> bool {
    let secret_digest = Sha256::digest(secret.reveal().as_bytes());
    let same = secret_digest.ct_eq(&Sha256::digest(guess));
    bool::from(same) && !secret.is_empty()
}
