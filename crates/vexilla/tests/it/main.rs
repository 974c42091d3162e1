//! A client, from outside: what it serves, how it refreshes, and Flagr's recorded answers through its sidecar.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calls;
mod file;
mod flagr;
mod refresh;
mod scripted;
#[cfg(feature = "server")]
mod sidecar;

use vexilla::{Client, FlagHandle, Local};

/// What the compiler does not promise by itself.
#[test]
fn handles_go_to_other_threads() {
    fn check<T: Send + Sync>() {}
    check::<Client>();
    check::<FlagHandle>();
    check::<Local<'_>>();
}
