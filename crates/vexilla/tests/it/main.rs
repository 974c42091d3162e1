//! A client, from outside: what it serves, how it refreshes, and Flagr's recorded answers through its sidecar.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helper functions of tests are not covered by clippy.toml"
)]

#[cfg(feature = "server")]
mod admin;
mod archive;
mod archive_log;
#[cfg(feature = "axum")]
#[path = "../../examples/axum_service.rs"]
#[expect(dead_code, reason = "the example's `main` is not called")]
mod axum_service;
#[cfg(all(feature = "disk", feature = "memory"))]
mod budget;
#[cfg(feature = "memory")]
mod cached;
mod calls;
#[cfg(feature = "server")]
mod chain;
#[cfg(all(feature = "memory", feature = "otel", feature = "server"))]
#[path = "../../../vexilla-telemetry/tests/it/collector.rs"]
#[expect(clippy::panic, reason = "shared with the tests of `vexilla-telemetry`")]
mod collector;
#[cfg(feature = "disk")]
mod confirmations;
#[cfg(feature = "server")]
mod exposures;
#[cfg(feature = "disk")]
mod exposures_killed;
mod file;
mod filters;
mod flagr;
#[cfg(all(feature = "disk", feature = "redis"))]
mod fleet;
#[cfg(feature = "server")]
mod forward;
mod lag;
mod nasty;
mod outage;
mod overtaken;
#[cfg(all(feature = "disk", feature = "redis"))]
mod redis_server;
mod refresh;
mod remote;
mod routing;
mod scripted;
#[cfg(feature = "axum")]
mod service;
#[cfg(feature = "server")]
mod sidecar;
mod soak;
#[cfg(all(feature = "memory", feature = "otel", feature = "prometheus", feature = "server"))]
mod telemetry;
#[cfg(all(feature = "memory", feature = "otel", feature = "server"))]
mod traces;
#[cfg(feature = "server")]
mod upstream;
mod waiting;
mod watch;
#[cfg(feature = "server")]
mod webhook;

use vexilla::{Client, FlagHandle, Local};

/// What the compiler does not promise by itself.
#[test]
fn handles_go_to_other_threads() {
    fn check<T: Send + Sync>() {}
    check::<Client>();
    check::<FlagHandle>();
    check::<Local<'_>>();
}
