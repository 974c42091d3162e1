//! The sidecar's limits.

use std::time::Duration;

/// What the sidecar allows its callers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SidecarConfig {
    /// The largest request body in bytes; a larger one is answered 413.
    pub max_body_bytes: usize,
    /// The largest batch, counted as Flagr counts: entities × (ids + keys + 1 if there are tags); and then once more,
    /// with each flag that the tags select. A larger one is answered 400. 0 stands for no limit.
    pub max_batch_size: usize,
    /// The largest answer to a batch in bytes; a larger one is not written to its end, but answered 400.
    pub max_answer_bytes: usize,
    /// How many requests are worked on at once; one more is answered 503. Reading a body does not count.
    pub max_concurrent_requests: usize,
    /// How many connections are open at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long a client may take for a request's head, and again for its body. Also how long an idle connection lives.
    pub read_timeout: Duration,
    /// How long an answer may take once the request has been read; then it is 503.
    pub answer_timeout: Duration,
}

impl Default for SidecarConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: 1 << 20,
            max_batch_size: 10_000,
            max_answer_bytes: 32 << 20,
            max_concurrent_requests: 1_024,
            max_connections: 10_000,
            read_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(30),
        }
    }
}
