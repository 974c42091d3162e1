//! The `vexilla` binary, run as its users run it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod archived;
mod bad_input;
mod check;
#[cfg(unix)]
mod client_certificate;
mod configuration;
mod decide;
mod export;
mod exposing;
mod http;
mod killed;
mod readme;
#[path = "../../../vexilla/tests/it/redis_server.rs"]
#[expect(dead_code, reason = "no test here stops it")]
mod redis_server;
#[cfg(unix)]
mod reloading;
mod running;
mod serve;
mod servers;
mod sharing;
mod stub;
mod telemetry;
mod unnamed;
mod unwritable;
