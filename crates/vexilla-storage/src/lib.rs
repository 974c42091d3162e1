//! Where Vexilla keeps what it serves: the published rules, and counters that threads do not share.
//!
//! [`SnapshotCell`] holds one value that is read all the time and replaced now and then. It is replaced whole, so a
//! reader sees either all of the old rules or all of the new ones, and a read writes nothing that another thread reads.
//! A cache that may evict is not used here on purpose: which flags exist must never be decided by one.
//!
//! ```
//! use std::sync::Arc;
//! use vexilla_storage::SnapshotCell;
//!
//! let rules = SnapshotCell::new(Arc::new("first"));
//! rules.publish(Arc::new("second"));
//! assert_eq!(*rules.load(), "second");
//! ```

mod snapshot;
mod striped;

pub use snapshot::{Lease, SnapshotCell};
pub use striped::Striped;
