//! Which path and method is what, and how Flagr refuses the others.

use std::borrow::Cow;

use http::Method;

use crate::error::Refusal;
use crate::operation;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Health,
    Export,
    MaxSnapshotId,
    /// One evaluation, asked in a body.
    PostEvaluation,
    /// One evaluation, asked in the query.
    GetEvaluation,
    /// Many evaluations, asked in a body.
    PostBatch,
    /// Many evaluations, asked in the query.
    GetBatch,
    /// What people saw.
    PostExposures,
    /// One flag in OpenFeature's protocol, by the escaped key.
    OfrepFlag(Box<str>),
    /// All flags in OpenFeature's protocol.
    OfrepFlags,
}

/// What a path of ours is by a method.
enum Own {
    Route(Route),
    WrongMethod,
}

/// A request that is not for the sidecar.
#[derive(Debug)]
pub(crate) enum Elsewhere {
    /// It is for this operation, which only a whole Flagr has.
    Operation(&'static str),
    /// OpenFeature's protocol has it, by another method. Flagr knows nothing of it.
    Ofrep(Refusal),
    /// Flagr has nothing there, or not by this method.
    Nowhere(Refusal),
}

impl Elsewhere {
    /// Whether it is about what people saw, which Flagr records.
    pub(crate) fn is_exposures(&self) -> bool {
        matches!(self, Self::Operation(operation::EXPOSURES))
    }

    /// Whether it is OpenFeature's caller who is wrong.
    pub(crate) fn is_ofrep(&self) -> bool {
        matches!(self, Self::Ofrep(_))
    }

    /// What a Flagr that only evaluates answers.
    pub(crate) fn into_refusal(self) -> Refusal {
        match self {
            Self::Operation(operation) => Refusal::not_implemented(operation),
            Self::Ofrep(refusal) | Self::Nowhere(refusal) => refusal,
        }
    }
}

impl Route {
    /// The route of a request.
    ///
    /// # Errors
    ///
    /// If it is not one of ours.
    pub(crate) fn find(method: &Method, path: &str) -> Result<Self, Elsewhere> {
        let own = |path: &str| Self::of_path(path, method);
        let (cleaned, found) = match own(path) {
            Some(found) => (Cow::Borrowed(path), Some(found)),
            None => {
                let cleaned = clean(path);
                let found = own(&cleaned);
                (cleaned, found)
            }
        };
        match found {
            Some(Own::Route(route)) => Ok(route),
            Some(Own::WrongMethod) => {
                let allowed = operation::methods(&cleaned);
                Err(if allowed.is_empty() {
                    Elsewhere::Ofrep(Refusal::wrong_method(method, &["POST"]))
                } else {
                    Elsewhere::Nowhere(Refusal::wrong_method(method, &allowed))
                })
            }
            None => Err(Self::elsewhere(method, path, &cleaned)),
        }
    }

    /// The path, without what differs from flag to flag.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Health => "/api/v1/health",
            Self::Export => "/api/v1/export/eval_cache/json",
            Self::MaxSnapshotId => "/api/v1/flags/snapshots/max_id",
            Self::PostEvaluation | Self::GetEvaluation => "/api/v1/evaluation",
            Self::PostBatch | Self::GetBatch => "/api/v1/evaluation/batch",
            Self::PostExposures => "/api/v1/exposures",
            Self::OfrepFlag(_) => "/ofrep/v1/evaluate/flags/{key}",
            Self::OfrepFlags => "/ofrep/v1/evaluate/flags",
        }
    }

    /// Whether it is asked without a body.
    pub(crate) fn is_get(&self) -> bool {
        match self {
            Self::Health
            | Self::Export
            | Self::MaxSnapshotId
            | Self::GetEvaluation
            | Self::GetBatch => true,
            Self::PostEvaluation
            | Self::PostBatch
            | Self::PostExposures
            | Self::OfrepFlag(_)
            | Self::OfrepFlags => false,
        }
    }

    /// Whether the path is ours by some method.
    pub(crate) fn is_known(path: &str) -> bool {
        Self::of_path(&clean(path), &Method::OPTIONS).is_some()
    }

    /// `None` for a path that is not ours.
    fn of_path(path: &str, method: &Method) -> Option<Own> {
        let by = |allowed: Method, route: Self| {
            if *method == allowed { Own::Route(route) } else { Own::WrongMethod }
        };
        let by_get = |route| by(Method::GET, route);
        let by_post = |route| by(Method::POST, route);
        let by_either =
            |get, post| if *method == Method::GET { by_get(get) } else { by_post(post) };
        if let Some(ofrep) = path.strip_prefix("/ofrep/v1/evaluate/flags") {
            return match ofrep.strip_prefix('/') {
                Some("") => Some(by_post(Self::OfrepFlags)),
                Some(key) => Some(by_post(Self::OfrepFlag(key.into()))),
                None => ofrep.is_empty().then(|| by_post(Self::OfrepFlags)),
            };
        }
        Some(match path.strip_prefix("/api/v1/")? {
            "evaluation" => by_either(Self::GetEvaluation, Self::PostEvaluation),
            "evaluation/batch" => by_either(Self::GetBatch, Self::PostBatch),
            "exposures" => by_post(Self::PostExposures),
            "health" => by_get(Self::Health),
            "export/eval_cache/json" => by_get(Self::Export),
            "flags/snapshots/max_id" => by_get(Self::MaxSnapshotId),
            _ => return None,
        })
    }

    fn elsewhere(method: &Method, path: &str, cleaned: &str) -> Elsewhere {
        if let Some(operation) = operation::find(method, cleaned) {
            return Elsewhere::Operation(operation);
        }
        let allowed = operation::methods(cleaned);
        Elsewhere::Nowhere(if allowed.is_empty() {
            Refusal::unknown_path(path)
        } else {
            Refusal::wrong_method(method, &allowed)
        })
    }
}

/// The path without empty and dotted parts, as Flagr looks it up.
fn clean(path: &str) -> Cow<'_, str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    Cow::Owned(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests;
