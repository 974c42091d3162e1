//! HTTP in: the sidecar, which answers on the wire as Flagr does and asks an [`Engine`](vexilla_domain::Engine); the
//! [`Admin`] API and the [`Webhook`], which ask an [`Operator`](vexilla_domain::Operator); and a [`middleware`] for web
//! services.
//!
//! They share one listener ([`ListenerConfig`]): a port or a Unix socket, TLS whose certificate is read anew when its
//! files change, limits and an end in good order.
//!
//! Programs in other languages point their existing Flagr client at it. So paths, members, their order, status codes,
//! error shapes and messages are Flagr's, quirks included, proved against recordings of a real Flagr; what Vexilla adds
//! goes into response headers (`X-Vexilla-Source`, `X-Vexilla-Revision`, `X-Vexilla-Age`).
//!
//! The way of a request: `listener` (connections) → `sidecar` (prefix, route, body, limits) → `answer` → `request` (reading as
//! Go reads) → the engine → [`wire`] (writing as Go writes) → `compress` and `cors` (what Flagr does around its answers).
//! `route` knows what is ours; `operation` knows the rest of Flagr, which is answered 501 or, with a [`Forwarder`], passed
//! on by `forward`. Go's error texts are found out in `go_error`, only once reading has failed. What the export is narrowed
//! to is read in `selection`. OpenFeature's remote evaluation protocol is in `ofrep`, whose docs tell the rule for values.
//!
//! It sits on hyper and tower without a web framework: there are few routes, and each body is read and written by hand
//! anyway. [`Sidecar::service`] is a plain [`tower::Service`], so further layers can go around it.
//!
//! Beyond Flagr, the export and OpenFeature's bulk answer carry an `ETag`: the revision of the rules, a random mark of the
//! process (revisions count in one process, so no two share a tag for different flags), for a part a hash of what was
//! asked, and `-gzip` on a compressed answer. `If-None-Match` gives a 304 without a look at any flag, but for a bulk
//! answer that Flagr had a part in, which is tagged by what it says; one that holds an error has no tag.
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
//! - the flags of an export keep one order, and so do the methods that a 405 allows; Flagr shuffles them each time;
//! - a request whose target is no URI, such as one with a bare `<`, is refused with a 400 before it is looked at;
//! - an operation that is not here is a 501 before its parameters are looked at (Flagr checks them first);
//! - an answer to exposures counts none as logged: they are on their way to Flagr, with which the sidecar only agrees
//!   that they are right;
//! - an answer without a body is not marked as compressed;
//! - a request with more than 100 headers is refused with a 431; Go counts bytes only;
//! - where Flagr puts `@ts…` and `@http_…` into contexts itself, an answer of its own repeats the context as it was asked,
//!   without them.

mod accept;
mod admin;
mod answer;
mod change;
mod compress;
mod config;
mod cors;
mod decode;
mod error;
mod etag;
mod export;
mod exposures;
mod flag_change;
mod float64;
mod forward;
mod go_error;
mod go_time;
mod hop;
mod host;
mod http_forwarder;
mod inject;
mod limit;
mod listener;
mod local;
mod media_type;
pub mod middleware;
mod ofrep;
mod operation;
mod parts;
mod probe;
mod query;
mod receive;
mod reject;
mod reply;
mod request;
mod route;
mod secret;
mod selection;
mod serve;
mod sidecar;
mod slice;
mod trace;
mod webhook;
pub mod wire;

pub use admin::{Admin, AdminConfig, AdminSettings};
pub use change::Change;
pub use config::{Injection, SidecarConfig};
pub use forward::{ForwardBody, ForwardError, ForwardErrorKind, Forwarder};
pub use http_forwarder::{ForwardConfig, ForwardUrlError, HttpForwarder};
pub use listener::{
    AddressError, BindError, BoundServer, ListenAddress, ListenerConfig, TlsError, TlsFiles,
    UnixAccess, Workers,
};
pub use parts::SidecarParts;
pub use probe::probe;
pub use secret::CredentialError;
pub use serve::BoundSidecar;
pub use sidecar::Sidecar;
pub use trace::TraceParent;
pub use webhook::{Webhook, WebhookConfig, WebhookHeader, WebhookSettings};
