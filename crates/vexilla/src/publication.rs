//! From fetched flags to what is published: merge, filter, compile, write as a document.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use vexilla_domain::json::{Document, write_flags};
use vexilla_domain::{
    Flag, FlagFilter, FlagId, Level, MemorySavings, Problem, Revision, Strictness,
};
use vexilla_eval::{CompiledFlag, Definitions, Filtered, Ruleset};

use crate::export;
use crate::published::{Confirmed, Published};

/// How flags become rules; the same for every publication of a client.
#[derive(Debug, Clone)]
pub(crate) struct Press {
    pub(crate) strictness: Strictness,
    pub(crate) filter: FlagFilter,
    /// Whether rules carry their flags as a document.
    pub(crate) keeps_document: bool,
}

/// What is to be published.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) flags: Document,
    pub(crate) scope: Scope,
    pub(crate) revision: Revision,
    pub(crate) now: SystemTime,
    pub(crate) origin: Box<str>,
    pub(crate) max_snapshot_id: Option<u64>,
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
    /// Makes it ready to be published. Takes its time: not for a thread that others wait for.
    pub(crate) fn publication(&self, draft: Draft, previous: &Published) -> Published {
        let Draft { flags: Document { mut flags, problems: unread }, scope, .. } = draft;
        let fetched = flags.len();
        let keep = kept(&mut flags, &unread, &scope, &previous.ruleset);
        let merged = flags.len() < fetched || !keep.is_empty();
        let filtered = match scope {
            Scope::All | Scope::Behind { .. } => Filtered::Anew,
            Scope::Some { .. } => Filtered::AsBefore,
        };

        let (flags, out): (Vec<_>, Vec<_>) =
            flags.into_iter().partition(|it| self.filter.should_cache_at(it, draft.now));
        let definitions =
            Definitions { flags: &flags, unread, strictness: self.strictness, keep, filtered };
        let carried = carried_over(&definitions.keep, &previous.problems);
        let compilation = Ruleset::compile_from(definitions, Some(&previous.ruleset));
        let mut ruleset = compilation.ruleset;
        for flag in &out {
            ruleset.filter_out(flag);
        }
        let problems = carried.into_iter().chain(compilation.problems).collect();

        let export = self
            .keeps_document
            .then(|| export::document(&ruleset, &flags, previous.export.as_deref()));
        let savings = match scope {
            Scope::Some { .. } => previous.savings,
            Scope::All | Scope::Behind { .. } => savings(ruleset.len(), &out),
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
        published
    }
}

/// Which of the flags that are held go on as they are. Takes out of `flags` what is older than what is known.
fn kept(
    flags: &mut Vec<Flag>,
    unread: &[Problem],
    scope: &Scope,
    held: &Ruleset,
) -> HashSet<FlagId> {
    match scope {
        Scope::All => HashSet::new(),
        Scope::Some { gone } => {
            let named: HashSet<FlagId> = flags.iter().map(|it| it.id).collect();
            let ids = held.flags().map(|it| it.head().id);
            ids.filter(|it| !named.contains(it) && !gone.contains(it)).collect()
        }
        Scope::Behind { newest, gone } => {
            // A snapshot of 0 is not numbered: such flags come from where nothing is behind.
            let deleted = |it: &Flag| {
                let snapshot = it.snapshot_id.0;
                snapshot > 0 && gone.get(&it.id).is_some_and(|deletion| snapshot <= *deletion)
            };
            flags.retain(|it| !deleted(it));
            let fetched: HashMap<FlagId, u64> = flags
                .iter()
                .map(|it| (it.id, it.snapshot_id.0))
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

/// What was wrong with flags that stay as they are.
fn carried_over(keep: &HashSet<FlagId>, problems: &[Problem]) -> Vec<Problem> {
    problems.iter().filter(|it| keep.contains(&it.flag_id)).cloned().collect()
}

/// What a filter saves, in bytes of Flagr's export.
fn savings(kept: usize, out: &[Flag]) -> MemorySavings {
    let total = kept + out.len();
    let bytes = out.iter().map(|it| write_flags([it]).len().saturating_sub(EMPTY)).sum::<usize>();
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 flags")]
    let percent = if total == 0 { 0.0 } else { out.len() as f64 / total as f64 * 100.0 };
    MemorySavings {
        total_flags: total,
        cached_flags: kept,
        filtered_flags: out.len(),
        bytes_saved: u64::try_from(bytes).unwrap_or(u64::MAX),
        percent_filtered: percent,
    }
}

/// `{"Flags":[]}`
const EMPTY: usize = 12;

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
    pub(crate) fn document(&self, definitions: &[Flag], older: Option<&[u8]>) -> Arc<[u8]> {
        match &self.export {
            Some(document) => Arc::clone(document),
            None => export::document(&self.ruleset, definitions, older),
        }
    }
}
