//! Flagr's API over a client.

use std::sync::Arc;

use vexilla_server::{Sidecar, SidecarConfig, SidecarParts};

use crate::client::Client;
use crate::forward::Prefixed;

impl Client {
    /// A sidecar that answers Flagr's requests out of this client. Bind it to serve it.
    ///
    /// Its export answers only where [`Config::export`](crate::Config::export) keeps the flags as a document.
    ///
    /// With a Flagr behind the client, exposures are checked here and sent to it in the background, as those of
    /// [`expose`](Self::expose); what is not answered here is handed on to it where
    /// [`SidecarConfig::pass_through`] says so, and evaluations that are Flagr's to decide carry the headers of the
    /// caller. What is handed on carries the caller's credentials, never those of the client. Without a Flagr, or with one
    /// that is reached through a proxy only, what would be handed on is answered 501.
    pub fn sidecar(&self, mut config: SidecarConfig) -> Sidecar {
        let parts = self.parts();
        config.forward_headers |= parts.remote.is_some();
        let mut with = SidecarParts::new(Arc::new(self.clone()), Arc::clone(&parts.clock))
            .with_operator(Arc::new(self.clone()));
        #[cfg(feature = "otel")]
        {
            with = with.with_trace(self.trace_parent());
        }
        if self.shared().exposures.get().is_some() {
            with = with.with_exposures(Arc::new(self.clone()));
        }
        if let Some(forwarder) = &parts.forwarder {
            let outside = config.web_prefix.clone();
            with = with.with_forwarder(Arc::new(Prefixed::new(outside, Arc::clone(forwarder))));
        }
        Sidecar::from_parts(with, config)
    }
}
