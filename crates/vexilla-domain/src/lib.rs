//! The words that Vexilla's crates share: flags, contexts, evaluations, a flag's JSON, and the ports.
//!
//! Nothing here does I/O, reads a clock or knows a runtime. The types are plain data: a [`Flag`] that came out of
//! [`json::read_flags`] is numbered and linked, so nobody behind it has to ask whether it is.
//!
//! Why a flag's JSON is here: the file source, the Flagr client, the archives and programs that depend on
//! `vexilla-eval` alone all read or write it, and those crates do not know each other. It is one module; nothing else in
//! this crate knows it.
//!
//! ```
//! use vexilla_domain::json;
//!
//! let document = json::read_flags(br#"{"Flags":[{"Key":"dark-mode","Enabled":true}]}"#)?;
//! assert_eq!(&*document.flags[0].key, "dark-mode");
//! assert_eq!(document.flags[0].id.0, 1);
//! # Ok::<(), json::JsonError>(())
//! ```

mod archived;
mod causes;
mod context;
mod evaluation;
mod explanation;
mod exposure;
mod filter;
mod flag;
mod hours;
mod ids;
pub mod json;
mod number;
mod observer;
mod port_error;
mod ports;
mod problem;
mod query;
mod secret;
mod stats;
mod strategy;
mod typed;
mod value;

pub use archived::{Archived, Confirmation, Progress};
pub use causes::with_causes;
pub use context::Context;
pub use evaluation::{
    Evaluation, EvaluationRef, FlagHead, Freshness, Reason, Revision, Source, VariantHead,
};
pub use explanation::{
    ConstraintTrace, Explanation, RangeTrace, RolloutTrace, SegmentTrace, Verdict,
};
pub use exposure::{Exposure, RowError};
pub use filter::{FilterError, FlagFilter};
pub use flag::{Constraint, Distribution, Flag, Segment, Tag, Times, Timestamp, Variant};
pub use hours::ActiveHours;
pub use ids::{ConstraintId, DistributionId, FlagId, SegmentId, SnapshotId, TagId, VariantId};
pub use number::Number;
pub use observer::{
    ArchiveOutcome, BreakerState, CacheRead, Fanout, Observer, RefreshOutcome, RemoteOutcome,
    WebhookOutcome,
};
pub use port_error::{
    ArchiveError, ArchiveErrorKind, DeliveryError, DeliveryErrorKind, ExposeError, ExposeErrorKind,
    PortError, RemoteError, RemoteErrorKind, SourceError, SourceErrorKind,
};
pub use ports::{
    Clock, Depth, Engine, Export, ExposureInbox, ExposureSink, Fetch, FlagArchive, FlagName,
    FlagSource, FlagState, FlagSummary, FlagTest, Marker, Operator, RemoteEvaluator, Strictness,
};
pub use problem::{Level, Problem};
pub use query::{
    Answer, Batch, BatchAnswer, BatchTooLarge, Debug, DebugLog, FlagRef, RemoteCall, SegmentLog,
    SelectedBy, TagsOperator,
};
pub use secret::Secret;
pub use stats::{ArchiveLayer, CacheCounts, MemorySavings, QueueCounts, Readiness, Stats};
pub use strategy::{Needs, Strategy};
pub use typed::{Detail, ErrorCode};
pub use value::{Object, Value};
