//! Shows what Vexilla does: OpenTelemetry, Prometheus, and logs.
//!
//! What a client counts is in its [`Stats`](vexilla_domain::Stats): they are read when somebody wants to see them, so an
//! evaluation pays nothing for being counted here too. What is measured comes through the
//! [`Observer`](vexilla_domain::Observer) port, which `Prometheus` and the observer of `Otlp` implement.
//!
//! ```
//! # #[cfg(feature = "prometheus")] {
//! use vexilla_domain::{Observer, Stats, WebhookOutcome};
//! use vexilla_telemetry::{Prometheus, StatsReader};
//!
//! let stats = StatsReader::later();
//! let prometheus = Prometheus::new(stats.clone());
//! prometheus.webhook_received(WebhookOutcome::Accepted); // as the client does that it is given to
//! stats.provide(Stats::default); // as soon as there is a client
//!
//! let text = prometheus.render();
//! assert!(text.contains("vexilla_webhook_received_total{outcome=\"accepted\"} 1"));
//! # }
//! ```
//!
//! # Features
//!
//! None is on by default, and each works alone: `otel` for `Otlp`, `prometheus` for `Prometheus`, `logs` for `logs`.
//!
//! # Why it is built this way
//!
//! - **One table of instruments.** Names, units, descriptions and where a value comes from stand in one place, so both
//!   ways to show them show the same.
//! - **Counts are read, not pushed.** A counter of OpenTelemetry costs more than an evaluation. Rejected.
//! - **Exporters have threads of their own**, and what goes wrong there is reported once a minute at most. The blocking
//!   HTTP client is used since the asynchronous one has no runtime in those threads.
//! - **The library reads no environment**: `OtlpSettings::with_env` asks a function. The exporters of `opentelemetry-otlp`
//!   look there all the same for what is not set, which are headers and compression.

#[cfg(any(feature = "otel", feature = "prometheus"))]
mod counts;
mod flag_counts;
mod flag_event;
#[cfg(any(feature = "otel", feature = "prometheus"))]
mod instruments;
#[cfg(feature = "logs")]
mod logs;
#[cfg(feature = "otel")]
mod otlp;
#[cfg(feature = "prometheus")]
mod prometheus;
mod stats_reader;

pub use flag_counts::{FlagCounts, Slot};
pub use flag_event::{Entity, TARGET as FLAG_EVENT_TARGET, flag_evaluated};
#[cfg(feature = "logs")]
pub use logs::{LogError, LogFilter, LogFormat, LogLevel, logs};
#[cfg(feature = "otel")]
pub use otlp::{
    Compression, FromEnvironment, Otlp, OtlpSettings, Protocol, SettingsError, ShutdownError,
    Signal, Temporality, adopt, inject, trace_of,
};
#[cfg(feature = "prometheus")]
pub use prometheus::Prometheus;
pub use stats_reader::StatsReader;
