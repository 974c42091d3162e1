//! Secrets that callers have to know.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use vexilla_domain::Secret;

/// What is configured cannot be a credential. More reasons may come: match with a catch-all arm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A secret without a letter is none.
    #[error("the secret is empty")]
    Empty,
    /// There is no such header.
    #[error("`{0}` cannot be the name of a header")]
    HeaderName(Box<str>),
    /// Others than this machine reach the address.
    #[error("others than this machine reach the address, so that a secret is needed")]
    Missing,
}

/// Whether a caller knows the secret. How long that takes tells nothing of it, not even its length. An empty secret is
/// known to nobody.
pub(crate) fn knows(secret: &Secret, guess: &[u8]) -> bool {
    let secret_digest = Sha256::digest(secret.reveal().as_bytes());
    let same = secret_digest.ct_eq(&Sha256::digest(guess));
    bool::from(same) && !secret.is_empty()
}
