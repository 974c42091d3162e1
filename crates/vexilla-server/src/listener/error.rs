//! Why a listener does not start.

use std::error::Error;

use crate::listener::ListenAddress;

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: ListenAddress,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl BindError {
    pub(crate) fn new(
        address: &ListenAddress,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { address: address.clone(), source: source.into() }
    }

    /// The address.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }
}
