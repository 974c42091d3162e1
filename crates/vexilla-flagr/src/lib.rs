//! Flagr over HTTP: the flag source behind Vexilla, and evaluation by Flagr itself.
//!
//! [`FlagrSource`] reads the flags of a live Flagr with as few requests as possible. It asks
//! `GET /api/v1/flags/snapshots/max_id` whether anything changed (under 1 KB), and reads all flags in one request,
//! `GET /api/v1/export/eval_cache/json`, when something did or when the server cannot say.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use vexilla_domain::{Fetch, FlagSource};
//! use vexilla_flagr::{Auth, FlagrConfig, FlagrSource, Secret};
//!
//! # async fn example(token: String) -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = FlagrConfig::new("http://flagr:18000");
//! config.timeout = Duration::from_secs(2);
//! config.auth = Auth::Bearer(Secret::new(token));
//! let source = FlagrSource::new(config)?;
//!
//! if let Fetch::Changed(fetched) = source.fetch(None).await? {
//!     println!("{}: {} flags", source.describe(), fetched.flags.len());
//!     // Later: one request as long as nothing changes.
//!     source.fetch(Some(&fetched.marker)).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`FlagrEvaluator`] asks Flagr for what only Flagr may decide, over the same connections:
//! [`source.evaluator()`](FlagrSource::evaluator) gives it. A batch is one request, or as many as Flagr's limit on batches
//! makes necessary.
//!
//! # Why it is built this way
//!
//! - **The export, not the REST list.** The export is what Flagr itself evaluates, and it alone carries each flag's
//!   snapshot id. It lags behind the database for a moment; the module `lag` says what follows from that.
//! - **No redirects, no proxy from the environment, no cookies.** A gate in front of Flagr redirects to a login page,
//!   and a login page is not flags. Where flags come from is what the configuration says and nothing else.
//! - **Everything is limited:** the time to connect, the time without a byte, the time in all, the size after
//!   decompression. An answer is read whole or not at all.
//! - **Reads are sent again, evaluations never.** A read that finds Flagr busy or restarting is worth another attempt
//!   after a random pause. An evaluation may have been recorded although its answer was lost, and whoever asked would
//!   rather have the local decision at once.
//! - **No process-wide TLS provider.** A library must not install one, so the client brings its own (rustls on ring,
//!   the system's certificates). A plain `http` client works on a machine without certificates.
//!
//! The source works inside a Tokio runtime. Its futures can be dropped at any time.

mod config;

mod auth;
mod proxy;
mod tls;

mod client;
mod error;
mod exchange;
mod read;
mod retry;

mod export;
mod lag;
mod source;

mod answer;
mod batch;
mod evaluator;
mod refusal;
mod request;

pub use auth::{Auth, Secret};
pub use config::{ConfigError, FlagrConfig};
pub use evaluator::FlagrEvaluator;
pub use proxy::HttpProxy;
pub use source::FlagrSource;
pub use tls::ClientCertificate;
