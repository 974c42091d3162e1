//! The document at `/openapi.json`.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Written, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::answer;

#[derive(OpenApi)]
#[openapi(
    info(title = "Vexilla admin API", description = "What a client of Vexilla holds and counts."),
    modifiers(&Token, &Limits),
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

/// Adds what a request may be answered before its route is asked, and when that takes too long.
struct Limits;

impl Modify for Limits {
    fn modify(&self, document: &mut Written) {
        for (path, PathItem { get, post, .. }) in &mut document.paths.paths {
            if matches!(&**path, "/health" | "/ready") {
                continue; // these always answer
            }
            for operation in get.iter_mut().chain(post.iter_mut()) {
                refused(operation, "400", "The body could not be received.");
                refused(operation, "408", "The body did not arrive in time.");
                refused(operation, "411", "The body is sent in chunks.");
                refused(operation, "413", "The body is too large.");
                if operation.request_body.is_some() {
                    refused(operation, "415", "The body is not sent as JSON.");
                }
                refused(operation, "503", "Too many requests are being worked on.");
                refused(operation, "504", "The answer was not ready in time.");
            }
        }
    }
}

/// Describes one more answer, unless the route has its own words for it.
fn refused(operation: &mut Operation, status: &str, why: &str) {
    let schema = Ref::from_schema_name("ErrorBody");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(why).content("application/json", content);
    let responses = &mut operation.responses.responses;
    responses.entry(status.to_owned()).or_insert_with(|| response.build().into());
}
