//! The sidecar from outside: recorded answers in process, and connections over loopback sockets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helper functions of tests are not covered by clippy.toml"
)]

mod connections;
mod export;
mod fake;
mod limits;
mod random;
mod recorded;
