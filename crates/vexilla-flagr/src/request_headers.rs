//! Headers that somebody else adds to each request.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Adds headers to a request that is about to be sent. It is called in the task that sends it, within the span it is sent
/// in, and has to return at once.
#[derive(Clone)]
pub struct RequestHeaders(Arc<Add>);

type Add = dyn Fn(&mut dyn FnMut(&str, &[u8])) + Send + Sync;

impl RequestHeaders {
    /// Adds what this function passes on: the name and the value of each header.
    pub fn new(add: impl Fn(&mut dyn FnMut(&str, &[u8])) + Send + Sync + 'static) -> Self {
        Self(Arc::new(add))
    }

    /// The headers for a request. What cannot be a header is left out.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        (self.0)(&mut |name, value| {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_bytes(value))
            {
                headers.insert(name, value);
            }
        });
        headers
    }
}

/// What it adds may be anything.
impl fmt::Debug for RequestHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeaders").finish_non_exhaustive()
    }
}
