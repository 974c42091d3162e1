//! Keeps Flagr's feature flags next to the code that asks, and decides locally with exactly Flagr's answer.

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
pub use vexilla_flagr::{Auth, FlagrConfig, Secret};
#[cfg(feature = "server")]
pub use vexilla_server::{BindError, BoundSidecar, Sidecar, SidecarConfig};
