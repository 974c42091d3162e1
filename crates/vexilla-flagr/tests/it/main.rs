//! The flag source and the evaluator against scripted servers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod batches;
mod changes;
mod evaluations;
mod exposures;
mod flagr;
mod ladder;
mod misbehaving;
mod raw;
mod recorded;
mod requests;
mod retries;
mod secure;
mod single;
