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
//! What it does can be seen: [`ClientBuilder::observer`] is told what is measured, the features `prometheus` and `otel`
//! show all that is counted too ([`Telemetry`]), and its work is spans of `tracing`. None of this installs anything for
//! the whole process.
//!
//! Rejected: a cache that asks Flagr for each flag when it is first needed. Its first answer waits for the network, it
//! cannot tell a flag that does not exist from one it has not seen, and an outage catches it with whatever it happens to
//! hold.
//!
//! The crates below can be used alone: `vexilla-eval` decides flags without a runtime or a network.

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
mod embedding {}

mod archives;
mod builder;
mod config;
mod error;
mod parts;
#[cfg(feature = "memory")]
mod remote_cache;
#[cfg(not(feature = "memory"))]
#[path = "no_remote_cache.rs"]
mod remote_cache;

mod client;
mod decide;
mod getters;
mod handle;
mod local;
mod many;
mod misses;
mod remote;
mod watch;

mod archive;
mod changes;
mod confirmations;
mod dates;
mod expiry;
mod export;
mod notes;
mod publication;
mod published;
mod refresh;
mod requests;
mod schedule;
mod start;

#[cfg(not(feature = "memory"))]
mod no_pages;
mod paged;
#[cfg(feature = "memory")]
mod pages;

mod clock;
mod counts;
mod file;
mod guarded;
mod observed;
mod shared;
mod span;
mod stats;
mod telemetry;

mod courier;
mod exposure_config;
mod exposures;
mod go_quote;
mod parcel;
mod replay;

mod engine;
mod operator;

#[cfg(feature = "server")]
mod forward;
#[cfg(feature = "server")]
mod layer;
#[cfg(feature = "server")]
mod servers;
#[cfg(feature = "server")]
mod sidecar;

pub use builder::ClientBuilder;
pub use changes::{Change, Changes};
pub use client::Client;
pub use clock::SystemClock;
pub use config::{
    Config, Consistency, ExportPolicy, Fallback, FlagEvents, Records, Rollouts, StartPolicy,
};
pub use error::{ConfigError, RefreshError, StartError, Undecided};
pub use exposure_config::ExposureConfig;
pub use file::FileSource;
pub use guarded::Guarded;
pub use handle::FlagHandle;
#[cfg(feature = "axum")]
pub use layer::RequestFlags;
pub use local::Local;
pub use parts::Parts;
pub use refresh::Refreshed;
pub use telemetry::{Telemetry, TelemetryConfig};
pub use vexilla_breaker::{Breaker, BreakerConfig, State as BreakerState};
pub use vexilla_domain::{
    ActiveHours, CacheCounts, Context, Detail, ErrorCode, Evaluation, EvaluationRef, Explanation,
    ExposeError, ExposeErrorKind, FilterError, Flag, FlagFilter, Freshness, Level, MemorySavings,
    Needs, Number, Object, Observer, Problem, QueueCounts, Readiness, Reason, Revision, Secret,
    Source, Stats, Strategy, TagsOperator, Value,
};
pub use vexilla_eval::bucket;
pub use vexilla_flagr::{
    Auth, ClientCertificate, FlagrConfig, HttpProxy, SharedAuth, SharedCertificates,
};
#[cfg(feature = "server")]
pub use vexilla_server::{
    AddressError, AdminConfig, BindError, BoundServer, BoundSidecar, CredentialError,
    ForwardConfig, Injection, ListenAddress, ListenerConfig, Sidecar, SidecarConfig, TlsError,
    TlsFiles, UnixAccess, WebhookConfig, WebhookHeader, Workers, middleware,
};
#[cfg(feature = "memory")]
pub use vexilla_storage::{CacheConfig, CacheConfigError, CachedRemote, CachedRemoteConfig};
#[cfg(feature = "disk")]
pub use vexilla_storage::{DiskArchive, DiskConfig};
pub use vexilla_storage::{MemoryArchive, StackedArchive};
#[cfg(feature = "redis")]
pub use vexilla_storage::{RedisArchive, RedisConfig, RedisConfigError};
pub use vexilla_telemetry::FlagCounts;
#[cfg(feature = "otel")]
pub use vexilla_telemetry::{
    Compression as OtlpCompression, Otlp, OtlpSettings, Protocol as OtlpProtocol,
    Signal as OtlpSignal, Temporality as OtlpTemporality,
};
