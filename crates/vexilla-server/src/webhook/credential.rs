//! Who may send notices.

use hmac::{Hmac, KeyInit, Mac};
use http::header::{HeaderMap, HeaderName};
use sha2::Sha256;
use vexilla_domain::Secret;

use super::WebhookConfig;
use crate::reply::Problem;
use crate::secret::{CredentialError, knows};

const SIGNATURE: HeaderName = HeaderName::from_static("x-webhook-signature");

/// What senders have to prove.
#[derive(Debug)]
pub(super) struct Credential {
    key: Option<Secret>,
    header: Option<(HeaderName, Secret)>,
}

/// A signature as it was sent; whether it is right shows with the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature([u8; 32]);

impl Signature {
    /// The bytes.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.0
    }

    /// Reads hexadecimal digits, with or without `sha256=` in front.
    fn read(text: &[u8]) -> Option<Self> {
        let digits = text.strip_prefix(b"sha256=").unwrap_or(text);
        let mut digest = [0; 32];
        if digits.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = str::from_utf8(pair).ok().filter(|it| !it.starts_with('+'))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(digest))
    }
}

impl Credential {
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, CredentialError> {
        let key = config.signing_secret.clone();
        let header = match &config.header {
            None => None,
            Some(header) => match HeaderName::try_from(&header.name) {
                Ok(name) => Some((name, header.value.clone())),
                Err(_) => {
                    return Err(CredentialError::HeaderName(header.name.as_str().into()));
                }
            },
        };
        let secrets = key.iter().chain(header.iter().map(|(_, value)| value));
        if secrets.into_iter().any(Secret::is_empty) {
            return Err(CredentialError::Empty);
        }
        Ok(Self { key, header })
    }

    /// Whether everybody is believed.
    pub(super) fn is_none(&self) -> bool {
        self.key.is_none() && self.header.is_none()
    }

    /// Looks at the headers. Gives the signature that the body has to be checked against, unless the headers prove
    /// enough.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<Option<Signature>, Problem> {
        if self.is_none() {
            return Ok(None);
        }
        if let Some((name, value)) = &self.header
            && headers.get(name).is_some_and(|guess| knows(value, guess.as_bytes()))
        {
            return Ok(None);
        }
        match headers.get(SIGNATURE) {
            Some(signature) if self.key.is_some() => match Signature::read(signature.as_bytes()) {
                Some(signature) => Ok(Some(signature)),
                None => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }

    /// Whether the signature is that of the body.
    pub(super) fn verify(&self, signature: &Signature, body: &[u8]) -> Result<(), Problem> {
        let key = self.key.as_ref().ok_or_else(wrong)?;
        // A key may have any length.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).map_err(|_| wrong())?;
        mac.update(body);
        mac.verify_slice(&signature.0).map_err(|_| wrong())
    }
}

/// One answer for all that is wrong, so that nobody learns what.
fn wrong() -> Problem {
    Problem::unauthorized("the credential is missing or wrong")
}
