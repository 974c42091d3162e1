//! One failure, told to many.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use vexilla_domain::RemoteError;

/// The same failure once more.
pub(super) fn again(error: &Arc<RemoteError>) -> RemoteError {
    let copy = RemoteError::new(error.kind(), error.to_string());
    if error.source().is_some() {
        return copy.with_source(Cause(Arc::clone(error)));
    }
    copy
}

/// The cause of a shared failure.
#[derive(Debug)]
struct Cause(Arc<RemoteError>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source().map_or(Ok(()), |source| fmt::Display::fmt(source, f))
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source().and_then(Error::source)
    }
}
