//! The sidecar's limits and manners.

use std::time::Duration;

use crate::listener::ListenerConfig;

/// What the sidecar allows its callers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switches one thing, and is set by its name"
)]
pub struct SidecarConfig {
    /// The largest request body in bytes; a larger one is answered 413.
    pub max_body_bytes: usize,
    /// The largest batch, counted as Flagr counts: entities × (ids + keys + 1 if there are tags); and then once more,
    /// with each flag that the tags select. A larger one is answered 400. 0 stands for no limit.
    pub max_batch_size: usize,
    /// How many exposures may be sent at once; more are answered 400. 0 stands for no limit.
    pub max_exposures: usize,
    /// The largest answer to a batch in bytes; a larger one is not written to its end, but answered 400.
    pub max_answer_bytes: usize,
    /// How many bytes the bodies that are being received may take, all together; one that would take more is answered
    /// 503. The first 16 KiB of each do not count.
    pub max_waiting_bytes: usize,
    /// How many requests are worked on at once, and how many beside them wait for somebody else, such as Flagr; one more of
    /// either is answered 503. Reading a body does not count.
    pub max_concurrent_requests: usize,
    /// The connections: TLS, how many, how long.
    pub listener: ListenerConfig,
    /// How long a client may take for a request's body.
    pub read_timeout: Duration,
    /// How long an answer may take once the request has been read; then it is 503.
    pub answer_timeout: Duration,
    /// The longest query of a `GET` evaluation in bytes; a longer one is answered 400. 0 stands for no limit.
    pub max_query_bytes: usize,
    /// What all paths begin with, such as `/flags`, as Flagr's `FLAGR_WEB_PREFIX`; empty for nothing.
    pub web_prefix: String,
    /// Whether pages of other origins may ask, with Flagr's default headers for it.
    pub cors: bool,
    /// Whether answers are compressed for callers that take gzip.
    pub gzip: bool,
    /// Adds the time and headers of the request to each context, as Flagr does where it is told to. Then the callers'
    /// headers are not handed on by [`forward_headers`](Self::forward_headers).
    pub injection: Option<Injection>,
    /// Whether a single evaluation carries the caller's headers, for a flag that Flagr must decide because it reads
    /// them (`@http_…`). Never handed on are credentials (`Authorization`, `Cookie`) and what belongs to the connection
    /// or the body. Of use only with a Flagr behind; off by default.
    pub forward_headers: bool,
    /// Whether everything that is not answered here goes to the [`Forwarder`](crate::Forwarder), if there is one. Without
    /// it only `POST /exposures` does, where nobody here takes them.
    pub pass_through: bool,
    /// Whether OpenFeature's remote evaluation protocol is answered.
    pub ofrep: bool,
    /// Whether OpenFeature callers get a boolean for the variant keys `on`, `off`, `true`, `false` where the attachment
    /// tells no value. Otherwise they get the key.
    pub ofrep_boolean_keys: bool,
}

/// What is added to contexts before an evaluation (`flagr-semantics` 7): `@ts`, `@ts_hour`, `@ts_weekday` and `@ts_month`
/// in any case, and of the headers of a request those that are listed, as `@http_…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// Names of headers, in any case. `Host` counts only here.
    pub headers: Vec<String>,
    /// What names of headers begin with, in any case.
    pub prefixes: Vec<String>,
    /// Names of headers that are never added, in any case, whatever the others say. Flagr has no such list; by default it
    /// holds those with credentials, as contexts are repeated in answers and kept in data records.
    pub except: Vec<String>,
}

impl Default for Injection {
    fn default() -> Self {
        let except = ["authorization", "cookie", "proxy-authorization"];
        Self {
            headers: Vec::new(),
            prefixes: Vec::new(),
            except: except.map(str::to_owned).to_vec(),
        }
    }
}

impl Default for SidecarConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: 1 << 20,
            max_waiting_bytes: 64 << 20,
            max_batch_size: 10_000,
            max_exposures: 100,
            max_answer_bytes: 32 << 20,
            max_concurrent_requests: 1_024,
            listener: ListenerConfig::default(),
            read_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(30),
            max_query_bytes: 8_192,
            web_prefix: String::new(),
            cors: true,
            gzip: true,
            injection: None,
            forward_headers: false,
            pass_through: false,
            ofrep: true,
            ofrep_boolean_keys: true,
        }
    }
}
