//! HTTP in: the sidecar, which answers on the wire as Flagr does and asks an [`Engine`](vexilla_domain::Engine).
//!
//! Programs in other languages point their existing Flagr client at it. So paths, members, their order, status codes,
//! error shapes and messages are Flagr's, quirks included, proved against recordings of a real Flagr; what Vexilla adds
//! goes into response headers (`X-Vexilla-Source`, `X-Vexilla-Revision`, `X-Vexilla-Age`).
//!
//! The way of a request: `serve` (connections) → `sidecar` (route, body, limits) → `answer` → `request` (reading as Go
//! reads) → the engine → [`wire`] (writing as Go writes). Go's error texts are found out in `go_error`, only once
//! reading has failed. What the export is narrowed to is read in `selection`.
//!
//! It sits on hyper and tower without a web framework: there are five routes, and each body is read and written by hand
//! anyway. [`Sidecar::service`] is a plain [`tower::Service`], so further layers can go around it.
//!
//! On purpose different from Flagr:
//!
//! - an `entityContext` nested deeper than 100 levels is refused with a 400 (Flagr: 10,000, checked as well);
//! - a `null` item of `entities` gives the same `500` in `text/plain` that starts with `PANIC: `, without a stack trace;
//! - bodies, batches, time and concurrency are limited by [`SidecarConfig`]; Flagr limits none of them by default;
//! - a batch's limit counts each flag that its tags select (Flagr's counts one for all tags), and a batch whose answer
//!   would be too long is refused with a 400;
//! - a body that breaks off is refused with a 400 of our own; Flagr judges what has arrived: it answers a request that
//!   is whole without the rest, and says 422 where nothing of a chunked body came;
//! - an `Accept` header that nothing fits is ignored;
//! - the flags of an export keep one order; Flagr shuffles them each time;
//! - a request whose target is no URI, such as one with a bare `<`, is refused with a 400 before it is looked at.

mod answer;
mod config;
mod decode;
mod error;
mod go_error;
mod media_type;
mod request;
mod route;
mod selection;
mod serve;
mod sidecar;
mod slice;
pub mod wire;

pub use config::SidecarConfig;
pub use serve::{BindError, BoundSidecar};
pub use sidecar::Sidecar;
