//! The served flags as Flagr's export.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use vexilla_domain::json::{read_flags, write_flag};
use vexilla_domain::{Flag, FlagId};
use vexilla_eval::{Ruleset, fingerprint};

/// Which definition of which flag.
type Key = (FlagId, u64);

/// Definitions as text, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Written {
    text: Vec<u8>,
    places: HashMap<Key, Range<usize>>,
}

impl Written {
    pub(crate) fn add(&mut self, flag: &Flag) {
        let start = self.text.len();
        self.text.extend_from_slice(write_flag(flag).as_bytes());
        self.places.insert((flag.id, fingerprint(flag)), start..self.text.len());
    }

    fn get(&self, key: &Key) -> Option<&[u8]> {
        self.text.get(self.places.get(key)?.clone())
    }
}

const OPENING: &[u8] = b"{\"Flags\":[";
const CLOSING: &[u8] = b"]}";

/// The flags that the rules serve, and a newline as Flagr does: as they were fetched, or, for flags in quarantine, as
/// they stand in the previous document. So who reads the document sees what evaluations here see.
pub(crate) fn document(ruleset: &Ruleset, fetched: &Written, previous: Option<&[u8]>) -> Arc<[u8]> {
    let wanted = || {
        let good = ruleset.flags().filter(|it| !it.is_broken() && ruleset.shows(it));
        good.map(|it| (it.head().id, it.fingerprint()))
    };
    let mut older = Written::default();
    if let Some(previous) = previous
        && wanted().any(|it| !fetched.places.contains_key(&it))
    {
        for flag in read_flags(previous).map(|it| it.flags).unwrap_or_default() {
            older.add(&flag);
        }
    }
    let mut document = Vec::with_capacity(fetched.text.len() + ruleset.len() + 16);
    document.extend_from_slice(OPENING);
    for (at, row) in
        wanted().filter_map(|it| fetched.get(&it).or_else(|| older.get(&it))).enumerate()
    {
        if at > 0 {
            document.push(b',');
        }
        document.extend_from_slice(row);
    }
    document.extend_from_slice(CLOSING);
    document.push(b'\n');
    document.into()
}
