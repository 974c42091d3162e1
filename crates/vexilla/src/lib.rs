//! Keeps Flagr's feature flags next to the code that asks, and decides locally with exactly Flagr's answer.
//!
//! ```no_run
//! use vexilla::{Client, Context};
//!
//! # async fn example() -> Result<(), vexilla::StartError> {
//! let client = Client::builder().flagr("http://localhost:18000").start().await?;
//!
//! let ctx = Context::new("user-1").with("country", "DE").with("app_version", 43);
//! if client.bool("new-checkout", &ctx, false).await {
//!     // …
//! }
//!
//! // In a hot loop: the key is looked up once for each change of the flags, and nothing is allocated.
//! let limit = client.flag("rate-limit");
//! let per_second = limit.int(&ctx, 100);
//! # let _ = per_second;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Client`] loads all flags once and asks again and again whether anything changed; one task does that and nothing
//! else does. Flags are replaced all together, so a caller sees either the old rules or the new ones. When the source
//! cannot be asked, the last good flags go on deciding: each evaluation says how fresh its rules were.
//!
//! The parts are put together in [`Client::new`]: it takes [`Parts`], which hold what comes from outside (the flag
//! source, the clock), and a [`Config`]. The builder only fills these in.
//!
//! Rejected: a cache that asks Flagr for each flag when it is first needed. Its first answer waits for the network, it
//! cannot tell a flag that does not exist from one it has not seen, and an outage catches it with whatever it happens to
//! hold.
//!
//! The crates below can be used alone: `vexilla-eval` decides flags without a runtime or a network.

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}

mod builder;
mod client;
mod clock;
mod config;
mod engine;
mod error;
mod export;
mod file;
mod handle;
mod local;
mod parts;
mod published;
mod refresh;
mod shared;
#[cfg(feature = "server")]
mod sidecar;
mod stats;

pub use builder::ClientBuilder;
pub use client::Client;
pub use clock::SystemClock;
pub use config::{Config, ExportPolicy, StartPolicy};
pub use error::{ConfigError, RefreshError, StartError};
pub use file::FileSource;
pub use handle::FlagHandle;
pub use local::Local;
pub use parts::Parts;
pub use refresh::Refreshed;
pub use stats::Stats;
pub use vexilla_domain::{
    Context, Detail, ErrorCode, Evaluation, EvaluationRef, Freshness, Level, Number, Object,
    Problem, Reason, Revision, Source, Value,
};
pub use vexilla_eval::{Explanation, bucket};
pub use vexilla_flagr::{Auth, ClientCertificate, FlagrConfig, HttpProxy, Secret};
#[cfg(feature = "server")]
pub use vexilla_server::{BindError, BoundSidecar, Sidecar, SidecarConfig};
