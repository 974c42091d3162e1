//! The sidecar from outside: recorded answers in process, and connections over loopback sockets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helper functions of tests are not covered by clippy.toml"
)]

mod accept;
mod admin;
mod admin_stats;
mod bulk_tags;
mod changed;
mod changes;
mod connections;
mod export;
mod exposures;
mod fake;
mod injected;
mod limits;
mod listener;
mod loopback;
mod manners;
mod middleware;
mod ofrep;
mod operator;
mod pass_through;
mod queries;
mod random;
mod recorded;
mod schema;
mod secure;
mod small;
mod webhook;
mod workers;
