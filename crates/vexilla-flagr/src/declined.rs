//! An answer that says no for good: asking again would bring the same.

use reqwest::StatusCode;
use serde::Deserialize;

/// A status that says that the path, the method or the object is not there, or that the question makes no sense.
#[derive(Debug)]
pub(crate) struct Declined {
    pub(crate) status: StatusCode,
    /// As much of the body as was read.
    pub(crate) body: Vec<u8>,
}

/// Flagr's two shapes of an error: those of its handlers have no code, those of its framework do.
#[derive(Deserialize)]
struct Body {
    code: Option<i64>,
    message: Option<String>,
}

impl Declined {
    /// Whether a status is one of these.
    pub(crate) fn by(status: StatusCode) -> bool {
        matches!(status.as_u16(), 400 | 404 | 405 | 422 | 501)
    }

    /// The server does not have this path, or not as a `GET`, or not in its mode.
    pub(crate) fn no_such_path(&self) -> bool {
        matches!(self.status.as_u16(), 404 | 405 | 501)
    }

    /// The path is there and the object is not: the 404 of a handler.
    pub(crate) fn no_such_object(&self) -> bool {
        let of_handler = |it: Body| it.code.is_none() && it.message.is_some();
        self.status == StatusCode::NOT_FOUND && self.body().is_some_and(of_handler)
    }

    /// The server took the path for another one, and found fault with that: a word where an id is to be.
    pub(crate) fn took_it_for_another(&self) -> bool {
        matches!(self.status.as_u16(), 400 | 422) && self.body().is_some_and(|it| it.code.is_some())
    }

    fn body(&self) -> Option<Body> {
        serde_json::from_slice(&self.body).ok()
    }
}

#[cfg(test)]
mod tests;
