//! Which path and method is what, and how Flagr refuses the others.

use std::borrow::Cow;

use http::Method;

use crate::error::Refusal;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Health,
    Export,
    Evaluation,
    Batch,
}

impl Route {
    /// The route of a request.
    ///
    /// # Errors
    ///
    /// Flagr's 404 or 405.
    pub(crate) fn find(method: &Method, path: &str) -> Result<Self, Refusal> {
        let Some(route) = Self::of_path(path).or_else(|| Self::of_path(&clean(path))) else {
            return Err(Refusal::unknown_path(path));
        };
        match route.allowed() {
            allowed if allowed == *method => Ok(route),
            allowed => Err(Refusal::wrong_method(method, &allowed)),
        }
    }

    fn of_path(path: &str) -> Option<Self> {
        match path.strip_prefix("/api/v1/")? {
            "evaluation" => Some(Self::Evaluation),
            "evaluation/batch" => Some(Self::Batch),
            "health" => Some(Self::Health),
            "export/eval_cache/json" => Some(Self::Export),
            _ => None,
        }
    }

    fn allowed(self) -> Method {
        match self {
            Self::Health | Self::Export => Method::GET,
            Self::Evaluation | Self::Batch => Method::POST,
        }
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
