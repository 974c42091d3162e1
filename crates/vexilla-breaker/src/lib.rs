//! A circuit breaker: it refuses calls to something that does not answer, until one probe shows that it does again.
//!
//! A service that is down makes every caller wait for its timeout, and the waiting callers keep it down. A [`Breaker`]
//! stands before the calls: after some failures in a row it refuses at once, and later it lets a single call through to
//! find out.
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use vexilla_breaker::{Breaker, BreakerConfig, State};
//!
//! # fn ask() -> Result<&'static str, std::io::Error> { Ok("on") }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = BreakerConfig::default();
//! config.open_for = Duration::from_secs(10);
//! let breaker = Breaker::new(config)?;
//!
//! let permit = breaker.admit(Instant::now())?;
//! match ask() {
//!     Ok(answer) => {
//!         permit.succeeded(Instant::now());
//!         println!("{answer}");
//!     }
//!     Err(_) => permit.failed(Instant::now()),
//! }
//! assert_eq!(breaker.state(Instant::now()), State::Closed);
//! # Ok(())
//! # }
//! ```
//!
//! # The states
//!
//! ```text
//! from      to        name     when
//! --------  --------  -------  -----------------------------------------------------------------------------
//! Closed    Open      trip     `failure_threshold` calls in a row failed
//! Open      HalfOpen  probe    `open_for` is over and somebody asks: that call is the probe
//! HalfOpen  Closed    recover  the probe succeeded
//! HalfOpen  Open      relapse  the probe failed
//! HalfOpen  Open      abandon  the probe's permit was dropped; counts as failed when it was admitted
//! HalfOpen  Open      lapse    the probe has not answered within `half_open_limit`; counts as failed at the limit
//! ```
//!
//! A state begins an *era*. A permit belongs to the era that it was given in, and what it says later counts in that
//! era only: an answer to a call from before the outage neither ends the outage nor starts another.
//!
//! # Why it is built this way
//!
//! - **Time is an argument.** There is no clock, no timer and no runtime in here, so a test of half a minute takes none.
//!   It follows that a lapse is noticed by whoever comes next; it counts from when it happened all the same.
//! - **A permit, not a wrapped call.** A caller of any kind can hold a permit, and a future that is dropped drops its
//!   permit. In `Closed` that says nothing: a caller that went away knows nothing about the service. In `HalfOpen` it
//!   must say something, or nobody would ever probe again.
//! - **Exactly one probe.** The breakers that we looked at (`failsafe` is one) let everybody through as soon as they
//!   are half-open, so a service that is just starting gets all the load at once. Rejected.
//! - **A lock, and one atomic beside it.** While calls succeed, they read the atomic only. Everything else takes a
//!   short lock; a state machine of several atomics would be faster in an outage, when nobody needs it to be.
//! - **It does not cut calls short.** A probe beyond its limit is not counted any more, but it is not stopped either;
//!   calls need a timeout of their own.
//! - **It does not know what a failure is.** The caller says so, or the closure that a `BreakerLayer` is given.
//!
//! With the feature `tower` (on by default), `BreakerLayer` puts a breaker before any tower service.

mod breaker;
mod config;
#[cfg(feature = "tower")]
mod layer;
mod news;
mod policy;

pub use breaker::{Breaker, Counts, Permit};
pub use config::{BreakerConfig, ConfigError};
#[cfg(feature = "tower")]
pub use layer::{BreakerFuture, BreakerLayer, BreakerService, CallError, Outcome};
pub use news::Transition;
pub use policy::{Rejected, State};
