//! OpenTelemetry's semantic conventions for feature flags, as events of `tracing`.

use tracing::Level;
use vexilla_domain::{EvaluationRef, Reason, Source};

/// The target of these events: filter by it.
pub const TARGET: &str = "vexilla::feature_flag";

/// What the convention calls us.
const PROVIDER: &str = "vexilla";

/// Whether an event may say whom the flag was evaluated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity<'a> {
    /// It may not.
    Hidden,
    /// It may: this is the entity's id.
    Shown(&'a str),
}

/// Emits a `feature_flag.evaluation` event of level debug. Nobody calls this unless it is asked for: an evaluation that
/// is told of costs many times one that is not.
///
/// `key` is the flag as it was asked for, for there may be no such flag. A trace gets the event where a span is
/// entered; a log gets it from level debug on.
pub fn flag_evaluated(key: &str, evaluation: &EvaluationRef<'_>, entity: Entity<'_>) {
    if !tracing::enabled!(target: TARGET, Level::DEBUG) {
        return;
    }
    let id = match entity {
        Entity::Hidden => None,
        Entity::Shown(id) => Some(id),
    };
    let revision = evaluation.freshness.revision;
    tracing::event!(
        name: "feature_flag.evaluation",
        target: TARGET,
        Level::DEBUG,
        "feature_flag.key" = key,
        "feature_flag.provider.name" = PROVIDER,
        "feature_flag.result.variant" = evaluation.variant_key(),
        "feature_flag.result.reason" = reason(evaluation),
        "feature_flag.version" = %revision,
        "feature_flag.context.id" = id,
        "error.type" = error(evaluation.reason),
        "feature_flag.evaluation"
    );
}

fn reason(evaluation: &EvaluationRef<'_>) -> &'static str {
    if evaluation.source == Source::RemoteCached {
        return "cached";
    }
    match evaluation.reason {
        Reason::TargetingMatch => "targeting_match",
        Reason::Static => "static",
        Reason::Split => "split",
        Reason::Disabled => "disabled",
        Reason::NotFound | Reason::NeedsRemote | Reason::Error => "error",
        Reason::NoMatch
        | Reason::Holdout
        | Reason::NoSegments
        | Reason::Filtered
        | Reason::Fallback => "default",
        _ => "unknown",
    }
}

fn error(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::NotFound => Some("flag_not_found"),
        Reason::NeedsRemote | Reason::Error => Some("general"),
        _ => None,
    }
}
