//! JSON as Flagr's Go reads and writes it: flags in both spellings, contexts, attachments.
//!
//! Reading is lenient where Go is: members match in any case, the last of several counts, `null` leaves the zero value,
//! unknown members are ignored, broken text becomes U+FFFD (`flagr-semantics` 2.7). Writing is Go's, byte for byte.
//!
//! - [`read_flags`] takes a document in either of Flagr's spellings, [`write_flags`] writes Flagr's eval-cache export;
//! - [`Rows`] takes the same documents and reads their flags one at a time;
//! - [`WrittenRows`] does so with a document that was written here, and holds next to nothing;
//! - [`pieces`] cuts a written document between its flags, [`flags_in`] and [`read_written`] find and read one of them;
//! - [`repair`], [`members`] and [`read_value`] are the parts that other readers of Go-flavoured JSON share;
//! - [`write_value`] and [`write_string`] are the parts that writers share.

mod document;
mod export;
mod flag;
mod go;
mod ids;
mod pieces;
mod rows;
mod text;
mod value;
mod written;

pub use document::{Document, JsonError, read_flags};
pub use export::{write_flag, write_flags};
pub use go::{Lenient, members, same_name};
pub use pieces::{flags_in, pieces, read_written};
pub use rows::{Row, Rows};
pub use text::repair;
pub use value::{Numbers, ValueError, read_value, write_string, write_value};
pub use written::WrittenRows;

#[cfg(test)]
mod tests;
