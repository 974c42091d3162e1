//! Flagr over HTTP: the flag source behind Vexilla, and evaluation by Flagr itself.
//!
//! [`FlagrSource`] reads the flags of a live Flagr with as few requests as possible. It asks
//! `GET /api/v1/flags/snapshots/max_id` whether anything changed (under 1 KB), and reads all flags when something did,
//! when the server cannot say, or when a full read is asked for.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use vexilla_domain::{Depth, FlagRef, FlagSource};
//! use vexilla_domain::Secret;
//! use vexilla_flagr::{Auth, FlagrConfig, FlagrSource};
//!
//! # async fn example(token: String) -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = FlagrConfig::new("http://flagr:18000");
//! config.timeout = Duration::from_secs(2);
//! config.auth = Auth::Bearer(Secret::new(token));
//! let source = FlagrSource::new(config)?;
//!
//! let first = source.fetch(None, Depth::Probe).await?;
//! if let Some(document) = first.changed {
//!     println!("{}: {} flags", source.describe(), document.flags.len());
//! }
//! // Later, or after `first.again_in` where that is set: one request as long as nothing changes.
//! source.fetch(Some(&first.marker), Depth::Probe).await?;
//! // One flag as it is in Flagr's database now.
//! source.fetch_flag(FlagRef { id: 0, key: "checkout" }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`FlagrEvaluator`] asks Flagr for what only Flagr may decide, over the same connections:
//! [`source.evaluator()`](FlagrSource::evaluator) gives it. A batch is one request, or as many as Flagr's limit on batches
//! makes necessary.
//!
//! [`FlagrExposures`] tells Flagr what people saw: [`source.exposures()`](FlagrSource::exposures) gives it.
//!
//! # Why it is built this way
//!
//! - **The export first, and a ladder below it.** The export is what Flagr itself evaluates, and it alone carries each
//!   flag's snapshot id. Flagr's gates close it by default, and servers before 1.1.1 have none: then it is
//!   `GET /flags?preload=true`, and on servers that do not know that (before 1.0.15) `GET /flags` and each flag for
//!   itself, eight at a time, all of them or none. Flags of a list have no snapshot id. Which way it is is found out
//!   once, and again after an error and with each full read. Eval-only servers have the export and no number, servers
//!   before 1.2 have no number either: the content is compared then.
//! - **Nobody waits for a server that lags.** The export follows the database within Flagr's refresh interval. What it
//!   holds is handed out at once, with a marker that says only what is proven and the time to ask again; the modules
//!   `verdict` and `lag` say what proves what.
//! - **A number that falls is not news yet.** Flagr answers 0 when its database fails, and a restored backup looks the
//!   same as a replica that is behind. It is followed when a second probe and the flags themselves agree, or after the
//!   lag.
//! - **A marker means the same in every process**, since archives keep it: its fingerprint is the beginning of a SHA-256
//!   over the flags in a fixed order. The hashers of the standard library promise nothing of the kind.
//! - **One flag comes out of its newest snapshot** ([`fetch_flag`](vexilla_domain::FlagSource::fetch_flag)): body and
//!   number belong together whatever is written meanwhile. Whether the flag is still there is asked afterwards.
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
mod request_headers;
mod tls;

mod client;
mod declined;
mod error;
mod exchange;
mod read;
mod retry;

mod api;
mod details;
mod filter;
mod ladder;
mod lag;
mod one;
mod reading;
mod source;
mod verdict;

mod answer;
mod batch;
mod evaluator;
mod exposures;
mod hand_on;
mod refusal;
mod request;

pub use auth::{Auth, SharedAuth};
pub use config::{ConfigError, FlagrConfig};
pub use evaluator::FlagrEvaluator;
pub use exposures::FlagrExposures;
pub use filter::ExportFilter;
pub use proxy::HttpProxy;
pub use request_headers::RequestHeaders;
pub use source::FlagrSource;
pub use tls::{ClientCertificate, SharedCertificates};
