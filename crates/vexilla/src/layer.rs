//! A context for every request of a web service, and this client beside it.

use vexilla_server::middleware::{ContextConfig, ContextLayer};

use crate::client::Client;

/// What [`Client::layer`] puts into a request, as an argument of an axum handler:
/// `async fn home(RequestFlags { client, context }: RequestFlags) -> …`.
#[cfg(feature = "axum")]
pub type RequestFlags = vexilla_server::middleware::RequestFlags<Client>;

impl Client {
    /// A tower layer that builds a [`Context`](crate::Context) from each request and puts it with this client into the
    /// request's extensions. The module [`middleware`](crate::middleware) says where the parts of the context come from.
    pub fn layer(&self, config: ContextConfig) -> ContextLayer<Self> {
        ContextLayer::new(self.clone(), config)
    }
}
