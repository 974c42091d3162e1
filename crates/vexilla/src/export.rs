//! The served flags as Flagr's export.

use std::collections::HashMap;
use std::sync::Arc;

use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{Flag, FlagId};
use vexilla_eval::{Ruleset, fingerprint};

/// Which definition of which flag.
type Key<'f> = (FlagId, &'f str, u64);

/// Writes the flags that the rules serve, and a newline as Flagr does: as they were fetched, or, for flags in
/// quarantine, as they stand in the previous document. So who reads the document sees what evaluations here see.
pub(crate) fn document(ruleset: &Ruleset, fetched: &[Flag], previous: Option<&[u8]>) -> Arc<[u8]> {
    let fetched = by_key(fetched);
    let good = ruleset.flags().filter(|it| !it.is_broken() && ruleset.shows(it));
    let wanted: Vec<Key<'_>> =
        good.map(|it| (it.head().id, &*it.head().key, it.fingerprint())).collect();

    let all_fetched = wanted.iter().all(|it| fetched.contains_key(it));
    let older = previous.filter(|_| !all_fetched).and_then(|document| read_flags(document).ok());
    let older = older.as_ref().map(|it| by_key(&it.flags)).unwrap_or_default();
    let mut document = write_flags(
        wanted.iter().filter_map(|it| fetched.get(it).or_else(|| older.get(it)).copied()),
    );
    document.push(b'\n');
    document.into()
}

fn by_key(flags: &[Flag]) -> HashMap<Key<'_>, &Flag> {
    flags.iter().map(|it| ((it.id, &*it.key, fingerprint(it)), it)).collect()
}
