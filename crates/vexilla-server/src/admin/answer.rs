//! One function for each route, with what `/openapi.json` says of it.

use std::sync::Arc;

use http::StatusCode;
use tokio::task::spawn_blocking;
use utoipa::OpenApi as _;
use vexilla_domain::json::{Numbers, read_value};
use vexilla_domain::{
    Clock, Context, FlagId, FlagName, Freshness, Operator, SourceError, with_causes,
};

use super::openapi::Document;
use super::stats::StatsBody;
use super::wire::{
    ErrorBody, ExplainBody, ExplainRequest, FlagsBody, HealthBody, InvalidateRequest, ReadyBody,
    RefreshedBody,
};
use crate::reply::{Problem, Reply, json, read_json, reply};

/// Whether the process lives.
#[utoipa::path(get, path = "/health", responses((status = 200, body = HealthBody)))]
pub(super) fn health() -> Reply {
    json(StatusCode::OK, &HealthBody { status: "ok" })
}

/// Whether the client can decide, and why not.
#[utoipa::path(get, path = "/ready", responses(
    (status = 200, description = "It can.", body = ReadyBody),
    (status = 503, description = "It cannot.", body = ReadyBody),
))]
pub(super) fn ready(operator: &dyn Operator) -> Reply {
    let readiness = operator.readiness();
    let ready = readiness.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &ReadyBody { ready, reasons: readiness.reasons })
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, body = Object)))]
pub(super) fn openapi() -> Reply {
    json(StatusCode::OK, &Document::openapi())
}

/// Measurements, where the program provides them.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 404, description = "The program provides none.", body = ErrorBody),
))]
#[expect(dead_code, reason = "says what `with_metrics` adds; the program's own function answers")]
pub(super) fn metrics() {}

/// Counts, and the state of the flags.
#[utoipa::path(get, path = "/admin/stats", security(("token" = [])), responses(
    (status = 200, body = StatsBody),
    (status = 401, body = ErrorBody),
))]
pub(super) fn stats(operator: &dyn Operator) -> Reply {
    json(StatusCode::OK, &StatsBody::from(operator.stats()))
}

/// All flags that are served.
#[utoipa::path(get, path = "/admin/flags", security(("token" = [])), responses(
    (status = 200, body = FlagsBody),
    (status = 401, body = ErrorBody),
))]
pub(super) async fn flags(operator: Arc<dyn Operator>) -> Result<Reply, Problem> {
    // There may be a hundred thousand.
    let list = move || json(StatusCode::OK, &FlagsBody::from(operator.flags()));
    spawn_blocking(list).await.map_err(|_| Problem::panicked())
}

/// One flag as Flagr exports it.
#[utoipa::path(get, path = "/admin/flags/{key}", security(("token" = [])),
    params(("key" = String, Path, description = "The flag's key")),
    responses(
        (status = 200, description = "The flag in the shape of Flagr's export.", body = Object),
        (status = 400, description = "The key is not UTF-8.", body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 404, description = "There is no such flag, or its definition is not kept.", body = ErrorBody),
    ))]
pub(super) async fn flag(operator: &dyn Operator, key: &str) -> Result<Reply, Problem> {
    match operator.load_definition(key).await {
        Some(definition) => Ok(reply(StatusCode::OK, "application/json", definition)),
        None => Err(unknown_flag(key)),
    }
}

/// Why a flag comes out as it does.
#[utoipa::path(post, path = "/admin/explain", security(("token" = [])),
    request_body = ExplainRequest,
    responses(
        (status = 200, body = ExplainBody),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 404, description = "There is no such flag.", body = ErrorBody),
    ))]
pub(super) async fn explain(operator: &dyn Operator, body: &[u8]) -> Result<Reply, Problem> {
    let request: ExplainRequest = read_json(body)?;
    let key = named(&request.flag_key)?;
    let attributes = request.context.as_deref().map(|it| read_value(it, Numbers::AsWritten));
    let attributes =
        attributes.transpose().map_err(|it| Problem::bad(format!("`context`: {it}")))?;
    let context = Context::new(request.entity_id)
        .with_entity_type(request.entity_type)
        .with_attributes(attributes);
    let explanation =
        operator.load_explanation(key, &context).await.ok_or_else(|| unknown_flag(key))?;
    Ok(json(StatusCode::OK, &ExplainBody::new(key, explanation)))
}

/// Reads one flag anew, past any lag of the source. The copy that is there is served until then. `found` says whether
/// there is such a flag now.
#[utoipa::path(post, path = "/admin/invalidate", security(("token" = [])),
    request_body = InvalidateRequest,
    responses(
        (status = 200, body = RefreshedBody),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 502, description = "The source failed; the flags are served on.", body = ErrorBody),
    ))]
pub(super) async fn invalidate(
    operator: &dyn Operator,
    clock: &dyn Clock,
    body: &[u8],
) -> Result<Reply, Problem> {
    let request: InvalidateRequest = read_json(body)?;
    let key = named(&request.flag_key)?;
    let flag = FlagName { id: FlagId(0), key: key.into() };
    let body = refreshed(operator.reread(&[flag]).await, clock)?;
    // A text may be another flag's id too.
    let explained = operator.explain(key, &Context::default()).and_then(|it| it.evaluation.flag);
    let found = explained.is_some_and(|it| *it.key == *key);
    Ok(json(StatusCode::OK, &body.of_flag(found)))
}

/// Reads all flags anew. Those that are there are served until then.
#[utoipa::path(post, path = "/admin/invalidate-all", security(("token" = [])), responses(
    (status = 200, body = RefreshedBody),
    (status = 401, body = ErrorBody),
    (status = 502, description = "The source failed; the flags are served on.", body = ErrorBody),
))]
pub(super) async fn invalidate_all(
    operator: &dyn Operator,
    clock: &dyn Clock,
) -> Result<Reply, Problem> {
    let body = refreshed(operator.reread_all().await, clock)?;
    Ok(json(StatusCode::OK, &body))
}

/// Looks for changes now.
#[utoipa::path(post, path = "/admin/refresh", security(("token" = [])), responses(
    (status = 200, body = RefreshedBody),
    (status = 401, body = ErrorBody),
    (status = 502, description = "The source failed; the flags are served on.", body = ErrorBody),
))]
pub(super) async fn refresh(operator: &dyn Operator, clock: &dyn Clock) -> Result<Reply, Problem> {
    let body = refreshed(operator.refresh().await, clock)?;
    Ok(json(StatusCode::OK, &body))
}

fn refreshed(
    result: Result<Freshness, SourceError>,
    clock: &dyn Clock,
) -> Result<RefreshedBody, Problem> {
    match result {
        Ok(freshness) => Ok(RefreshedBody::new(freshness, clock.now())),
        Err(error) => {
            let message =
                format!("{}; the flags that are there are served on", with_causes(&error));
            Err(Problem::new(StatusCode::BAD_GATEWAY, message))
        }
    }
}

fn named(key: &str) -> Result<&str, Problem> {
    if key.is_empty() { Err(Problem::bad("`flag_key` is empty")) } else { Ok(key) }
}

fn unknown_flag(key: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no flag `{key}`"))
}
