//! The flag source against scripted servers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod changes;
mod flagr;
mod misbehaving;
mod raw;
mod requests;
