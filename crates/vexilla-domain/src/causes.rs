//! An error in one line.

use std::error::Error;
use std::iter;

/// An error with all that caused it, each after a colon: what a log line or a person reads.
///
/// An error's own text does not repeat its source, so neither does this.
///
/// ```
/// use vexilla_domain::{RemoteError, RemoteErrorKind, with_causes};
///
/// let cause = std::io::Error::other("connection refused");
/// let error = RemoteError::new(RemoteErrorKind::Unavailable, "Flagr cannot be reached");
/// let shown = with_causes(&error.with_source(cause));
/// assert!(shown.ends_with("Flagr cannot be reached: connection refused"));
/// ```
pub fn with_causes(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |&it| it.source());
    causes.fold(error.to_string(), |shown, cause| format!("{shown}: {cause}"))
}
