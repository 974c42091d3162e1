//! From fetched flags to what is published: merge, filter, compile, write as a document.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use vexilla_domain::json::{Row, Rows, WrittenRows, write_flag};
use vexilla_domain::{
    Flag, FlagFilter, FlagId, Level, MemorySavings, Problem, Revision, Strictness,
};
use vexilla_eval::{Bodies, CompiledFlag, Definitions, Filtered, Ruleset};

use crate::export::{self, Written};
use crate::parts::Parts;
use crate::published::{Confirmed, Published};

/// How flags become rules; the same for every publication of a client.
#[derive(Debug, Clone)]
pub(crate) struct Press {
    pub(crate) strictness: Strictness,
    pub(crate) filter: FlagFilter,
    /// Whether rules carry their flags as a document.
    pub(crate) keeps_document: bool,
    /// Where bodies go, where there is a budget for them.
    pub(crate) parts: Parts,
}

/// What is to be published.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) flags: Given,
    /// What was read since, one by one.
    pub(crate) read_since: Vec<Flag>,
    /// What becomes of the definitions.
    pub(crate) text: Text,
    pub(crate) scope: Scope,
    pub(crate) revision: Revision,
    pub(crate) now: SystemTime,
    pub(crate) origin: Box<str>,
    pub(crate) max_snapshot_id: Option<u64>,
}

/// The flags of a draft: from a source, or from an archive.
#[derive(Debug)]
pub(crate) enum Given {
    Fetched(Rows),
    Archived(WrittenRows),
}

impl From<Rows> for Given {
    fn from(rows: Rows) -> Self {
        Self::Fetched(rows)
    }
}

impl From<WrittenRows> for Given {
    fn from(rows: WrittenRows) -> Self {
        Self::Archived(rows)
    }
}

/// What becomes of definitions once they are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// They are written, to be archived.
    Written,
    /// Nobody needs them: they came from an archive, or one that is to come has them too.
    Dropped,
}

/// What the flags of a draft are.
#[derive(Debug)]
pub(crate) enum Scope {
    /// All flags there are.
    All,
    /// All flags as they were a moment ago: of those that were read since, the newer version stays, and those that were
    /// found deleted stay deleted (with the source's newest snapshot at that time).
    Behind { newest: u64, gone: HashMap<FlagId, u64> },
    /// These flags and no others; the others stay as they are, but for those that are gone.
    Some { gone: HashSet<FlagId> },
}

impl Press {
    /// Makes it ready to be published, and the definitions ready to be archived if they are wanted. Takes its time: not
    /// for a thread that others wait for.
    pub(crate) fn publication(&self, draft: Draft, previous: &Published) -> (Published, Written) {
        let Draft { flags, scope, .. } = draft;
        let (mut rows, unread, archived) = match flags {
            Given::Fetched(rows) => {
                let (rows, unread) = rows.into_parts();
                (rows, unread, None)
            }
            Given::Archived(rows) => (Vec::new(), Vec::new(), Some(rows)),
        };
        let fetched = rows.len();
        let keep = kept(&mut rows, &unread, &scope, &previous.ruleset);
        let merged = rows.len() < fetched || !keep.is_empty();
        let filtered = match scope {
            Scope::All | Scope::Behind { .. } => Filtered::Anew,
            Scope::Some { .. } => Filtered::AsBefore,
        };
        let several = self.parts.is_paged().then(|| {
            let archived = archived.iter().flat_map(WrittenRows::ids);
            several_of_one_id(rows.iter().map(Row::id).chain(archived).collect())
        });
        let mut written = Written::default();
        for flag in draft.read_since.iter().filter(|_| draft.text == Text::Written) {
            written.add(flag);
        }

        let carried = carried_over(&keep, &previous.problems);
        let definitions = Definitions {
            unread,
            strictness: self.strictness,
            keep,
            filtered,
            ..Definitions::default()
        };
        let mut out = FilteredOut::default();
        // Each definition is gone when the next one is read.
        let rows = rows.into_iter().map(Row::into_flag);
        let archived = archived.into_iter().flat_map(WrittenRows::into_flags);
        let flags = rows.chain(archived).filter_map(|row| {
            self.parts.give_way();
            let flag = match row {
                Ok(flag) => flag,
                Err(problem) => return Some(Err(problem)),
            };
            if !self.filter.should_cache_at(&flag, draft.now) {
                out.add(flag);
                return None;
            }
            if draft.text == Text::Written || self.keeps_document {
                written.add(&flag);
            }
            Some(Ok(flag))
        });
        let mut take = |body: CompiledFlag| self.parts.offer_body(body);
        let bodies = match several {
            Some(resident) => Bodies::Paged { take: &mut take, resident },
            None => Bodies::Resident,
        };
        let compilation =
            Ruleset::compile_each(flags, definitions, bodies, Some(&previous.ruleset));
        let mut ruleset = compilation.ruleset;
        for (id, key) in &out.flags {
            ruleset.filter_out(*id, key);
        }
        let problems = carried.into_iter().chain(compilation.problems).collect();

        let export = self
            .keeps_document
            .then(|| export::document(&ruleset, &written, previous.export.as_deref()));
        let savings = match scope {
            Scope::Some { .. } => previous.savings,
            Scope::All | Scope::Behind { .. } => out.savings(ruleset.len()),
        };
        let published = Published {
            ruleset,
            revision: draft.revision,
            generation: previous.generation.wrapping_add(1).max(1),
            problems,
            export,
            savings,
            origin: draft.origin,
            merged,
            confirmed: Confirmed::default(),
        };
        published.set_max_snapshot_id(draft.max_snapshot_id);
        (published, written)
    }
}

/// Which of the flags that are held go on as they are. Takes out of `rows` what is older than what is known.
fn kept(rows: &mut Vec<Row>, unread: &[Problem], scope: &Scope, held: &Ruleset) -> HashSet<FlagId> {
    match scope {
        Scope::All => HashSet::new(),
        Scope::Some { gone } => {
            let named: HashSet<FlagId> = rows.iter().map(Row::id).collect();
            let ids = held.flags().map(|it| it.head().id);
            ids.filter(|it| !named.contains(it) && !gone.contains(it)).collect()
        }
        Scope::Behind { newest, gone } => {
            // A snapshot of 0 is not numbered: such flags come from where nothing is behind.
            let deleted = |it: &Row| {
                let snapshot = it.snapshot_id().0;
                snapshot > 0 && gone.get(&it.id()).is_some_and(|deletion| snapshot <= *deletion)
            };
            rows.retain(|it| !deleted(it));
            let fetched: HashMap<FlagId, u64> = rows
                .iter()
                .map(|it| (it.id(), it.snapshot_id().0))
                .chain(unread.iter().map(|it| (it.flag_id, u64::MAX)))
                .collect();
            let is_newer = |it: &&CompiledFlag| match fetched.get(&it.head().id) {
                Some(0) => false,
                Some(snapshot) => *snapshot < it.head().snapshot_id.0,
                None => *newest < it.head().snapshot_id.0,
            };
            held.flags().filter(is_newer).map(|it| it.head().id).collect()
        }
    }
}

/// Ids that several flags have, as in a file that was written by hand.
fn several_of_one_id(mut ids: Vec<FlagId>) -> HashSet<FlagId> {
    ids.sort_unstable();
    let pairs = ids.windows(2).filter_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    });
    pairs.collect()
}

/// What was wrong with flags that stay as they are.
fn carried_over(keep: &HashSet<FlagId>, problems: &[Problem]) -> Vec<Problem> {
    problems.iter().filter(|it| keep.contains(&it.flag_id)).cloned().collect()
}

/// What a filter keeps out.
#[derive(Debug, Default)]
struct FilteredOut {
    flags: Vec<(FlagId, Box<str>)>,
    bytes: usize,
}

impl FilteredOut {
    fn add(&mut self, flag: Flag) {
        self.bytes += write_flag(&flag).len();
        self.flags.push((flag.id, flag.key));
    }

    /// What that saves, in bytes of Flagr's export.
    fn savings(&self, kept: usize) -> MemorySavings {
        let (out, total) = (self.flags.len(), kept + self.flags.len());
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 flags")]
        let percent = if total == 0 { 0.0 } else { out as f64 / total as f64 * 100.0 };
        MemorySavings {
            total_flags: total,
            cached_flags: kept,
            filtered_flags: out,
            bytes_saved: u64::try_from(self.bytes).unwrap_or(u64::MAX),
            percent_filtered: percent,
        }
    }
}

impl Published {
    /// Keys of flags that have an error, each once.
    pub(crate) fn quarantined(&self) -> Vec<Box<str>> {
        let errors = self.problems.iter().filter(|it| it.level == Level::Error);
        let mut flags: Vec<_> = errors.map(|it| (it.flag_id, &it.flag)).collect();
        flags.sort_unstable();
        flags.dedup();
        flags.into_iter().map(|(_, key)| key.clone()).collect()
    }

    /// The flags as a document to archive: the one that is kept, or one that is made of these definitions.
    pub(crate) fn document(&self, definitions: &Written, older: Option<&[u8]>) -> Arc<[u8]> {
        match &self.export {
            Some(document) => Arc::clone(document),
            None => export::document(&self.ruleset, definitions, older),
        }
    }
}
