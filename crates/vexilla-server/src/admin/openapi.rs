//! The document at `/openapi.json`.

use utoipa::openapi::OpenApi as Written;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::answer;

#[derive(OpenApi)]
#[openapi(
    info(title = "Vexilla admin API", description = "What a client of Vexilla holds and counts."),
    modifiers(&Token),
    paths(
        answer::health,
        answer::ready,
        answer::openapi,
        answer::metrics,
        answer::stats,
        answer::flags,
        answer::flag,
        answer::explain,
        answer::invalidate,
        answer::invalidate_all,
        answer::refresh,
    )
)]
pub(super) struct Document;

/// Adds how callers are known.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Written) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}
