//! Flagr's API over a client.

use std::sync::Arc;

use vexilla_server::{Sidecar, SidecarConfig};

use crate::client::Client;

impl Client {
    /// A sidecar that answers Flagr's requests out of this client. Bind it to serve it.
    ///
    /// Its export answers only where [`Config::export`](crate::Config::export) keeps the flags as a document.
    pub fn sidecar(&self, config: SidecarConfig) -> Sidecar {
        Sidecar::new(Arc::new(self.clone()), self.clock(), config)
    }
}
