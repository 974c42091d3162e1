//! The context and the client as arguments of an axum handler.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use vexilla_domain::Context;

/// What a [`ContextLayer`](super::ContextLayer) put into a request, as an argument of a handler.
#[derive(Debug, Clone)]
pub struct RequestFlags<C> {
    /// The client.
    pub client: C,
    /// Who is asking.
    pub context: Context,
}

/// The route is not behind a [`ContextLayer`](super::ContextLayer) with this client: answered 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the route is not behind a `ContextLayer` with this client")]
pub struct MissingLayer;

impl<S: Sync, C: Clone + Send + Sync + 'static> FromRequestParts<S> for RequestFlags<C> {
    type Rejection = MissingLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingLayer> {
        let found = (parts.extensions.get::<C>(), parts.extensions.get::<Context>());
        match found {
            (Some(client), Some(context)) => {
                Ok(Self { client: client.clone(), context: context.clone() })
            }
            _ => Err(MissingLayer),
        }
    }
}

impl IntoResponse for MissingLayer {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "a handler cannot be called");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
