//! All flags of one revision: look-up in Flagr's order, evaluation, selection by tag.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use rapidhash::fast::RandomState;
use vexilla_domain::json::{self, JsonError};
use vexilla_domain::{
    Context, Debug, DebugLog, EvaluationRef, Flag, FlagId, FlagRef, Problem, Reason, Strictness,
    TagsOperator,
};

use crate::anonymous::AnonymousId;
use crate::build::{Bodies, Build, Compilation, Definitions, Filtered, Precedence};
use crate::compile::CompiledFlag;
use crate::evaluate::evaluate;
use crate::log::{LogTrace, debug_log};

/// Every flag, compiled. Built whole, never changed: a new set of rules is a new `Ruleset`.
#[derive(Debug, Default)]
pub struct Ruleset {
    pub(crate) flags: Vec<Arc<CompiledFlag>>,
    // INVARIANT: the numbers in these are places in `flags`.
    by_key: HashTable<u32>,
    pub(crate) by_id: HashMap<u64, u32, RandomState>,
    /// INVARIANT: the places of each tag ascend.
    by_tag: HashMap<Box<str>, Vec<u32>, RandomState>,
    /// The flag that answers to "0", which is what Flagr looks up first when a request names no id.
    pub(crate) zero: Option<u32>,
    /// Hashes of the keys and of the ids in words that a filter keeps out.
    filtered: HashSet<u64, RandomState>,
    hasher: RandomState,
}

impl Ruleset {
    /// Compiles Flagr's export, or its REST list of flags, checked as Flagr checks a file.
    ///
    /// # Errors
    ///
    /// If the text is no document of flags. A flag that is wrong is left out and reported in
    /// [`Compilation::problems`] instead.
    pub fn from_json(bytes: &[u8]) -> Result<Compilation, JsonError> {
        let document = json::read_flags(bytes)?;
        Ok(Self::compile(&document.flags, document.problems, Strictness::Checked, None))
    }

    /// Compiles flags. `unread` are errors of flags that could not even be read.
    ///
    /// With `previous` rules, flags whose definition is unchanged are taken over as they are, and a flag with an error
    /// keeps its last good version.
    pub fn compile(
        flags: &[Flag],
        unread: Vec<Problem>,
        strictness: Strictness,
        previous: Option<&Self>,
    ) -> Compilation {
        let definitions = Definitions { flags, unread, strictness, ..Definitions::default() };
        Self::compile_from(definitions, previous)
    }

    /// The same, with flags that are to go on as they are.
    pub fn compile_from(mut definitions: Definitions<'_>, previous: Option<&Self>) -> Compilation {
        let flags = std::mem::take(&mut definitions.flags).iter().map(Ok);
        Self::compile_each(flags, definitions, Bodies::Resident, previous)
    }

    /// The same, with flags that come one at a time, behind those of the definitions: none of them is held after it was
    /// compiled. `Err` is a flag that could not be read.
    pub fn compile_each<F: Borrow<Flag>>(
        flags: impl Iterator<Item = Result<F, Problem>>,
        definitions: Definitions<'_>,
        bodies: Bodies<'_>,
        previous: Option<&Self>,
    ) -> Compilation {
        let Definitions { flags: first, unread, strictness, keep, filtered } = definitions;
        let successor = previous.map(|it| it.successor(filtered)).unwrap_or_default();
        let capacity = first.len() + flags.size_hint().0 + keep.len();
        let mut build = Build::new(successor, bodies, unread, capacity);
        for flag in first.iter().filter(|it| !keep.contains(&it.id)) {
            build.add(flag, strictness, previous);
        }
        for flag in flags {
            match flag {
                Ok(flag) if keep.contains(&flag.borrow().id) => {}
                Ok(flag) => build.add(flag.borrow(), strictness, previous),
                Err(problem) => build.unread(problem),
            }
        }
        let kept = previous.into_iter().flat_map(|it| &it.flags);
        for flag in kept.filter(|it| keep.contains(&it.head.id)) {
            build.keep(flag);
        }
        build.finish(strictness, previous)
    }

    /// Evaluates the flag with this key.
    ///
    /// An entity without an id gets a random one. Nothing is allocated, locked or awaited.
    #[inline]
    pub fn evaluate(&self, key: &str, ctx: &Context) -> EvaluationRef<'_> {
        match self.find(key) {
            Some(flag) => Self::evaluate_flag(flag, ctx),
            None => EvaluationRef::blank(None, self.absent(key)),
        }
    }

    /// Why there is no flag to be found by this text: there is none, or a filter keeps it out.
    pub fn absent(&self, text: &str) -> Reason {
        let filtered =
            !self.filtered.is_empty() && self.filtered.contains(&self.hasher.hash_one(text));
        if filtered { Reason::Filtered } else { Reason::NotFound }
    }

    /// No rules yet, to be filled with those that come after these.
    pub(crate) fn successor(&self, filtered: Filtered) -> Self {
        // The hasher too: the hashes of what is filtered out are its.
        let hasher = self.hasher;
        let filtered = match filtered {
            Filtered::Anew => HashSet::default(),
            Filtered::AsBefore => self.filtered.clone(),
        };
        Self { filtered, hasher, ..Self::default() }
    }

    /// Remembers that there is such a flag, and that a filter keeps it out.
    pub fn filter_out(&mut self, id: FlagId, key: &str) {
        self.filtered.insert(self.hasher.hash_one(key));
        self.filtered.insert(self.hasher.hash_one(&*id.to_string()));
    }

    /// Evaluates a flag that was looked up before.
    #[inline]
    pub fn evaluate_flag<'a>(flag: &'a CompiledFlag, ctx: &Context) -> EvaluationRef<'a> {
        match ctx.entity_id() {
            "" => evaluate(flag, AnonymousId::random().as_str(), ctx.attributes(), &mut ()),
            entity_id => evaluate(flag, entity_id, ctx.attributes(), &mut ()),
        }
    }

    /// Evaluates a flag, if there is one, the way a request of Flagr's API asks for it: for this entity id, with
    /// Flagr's log. `requested_id` is the id in the request, which the log repeats when there is no such flag.
    pub fn evaluate_logged<'a>(
        flag: Option<&'a CompiledFlag>,
        requested_id: u64,
        entity_id: &str,
        ctx: &Context,
        debug: Debug,
    ) -> (EvaluationRef<'a>, DebugLog) {
        let Some(flag) = flag else {
            let blank = EvaluationRef::blank(None, Reason::NotFound);
            return (blank, debug_log(&blank, requested_id, None));
        };
        match debug {
            Debug::Off => {
                let evaluation = evaluate(flag, entity_id, ctx.attributes(), &mut ());
                (evaluation, debug_log(&evaluation, requested_id, None))
            }
            Debug::On => {
                let mut trace = LogTrace::new(ctx);
                let evaluation = evaluate(flag, entity_id, ctx.attributes(), &mut trace);
                (evaluation, debug_log(&evaluation, requested_id, Some(trace.segments)))
            }
        }
    }

    /// The flag that Flagr finds for this key when a request names no id (`flagr-semantics` 4.1): one whose id or key
    /// is "0" comes before all, then a flag with this id, then one with this key.
    #[inline]
    pub fn find(&self, key: &str) -> Option<&CompiledFlag> {
        self.position(key).and_then(|at| self.at(at))
    }

    /// The place of the flag that [`find`](Self::find) finds, for [`at`](Self::at) of the same rules.
    #[inline]
    pub fn position(&self, key: &str) -> Option<u32> {
        if self.zero.is_some() {
            return self.zero;
        }
        self.look_up(key)
    }

    /// The flag at a place.
    #[inline]
    pub fn at(&self, position: u32) -> Option<&CompiledFlag> {
        self.flags.get(position as usize).map(|flag| &**flag)
    }

    /// The flag that Flagr finds for a request: by the decimal text of the id, 0 when there is none, then by key; each
    /// look-up of a text tries ids before keys.
    pub fn resolve(&self, flag: FlagRef<'_>) -> Option<&CompiledFlag> {
        if flag.id == 0 {
            return self.find(flag.key);
        }
        let by_id =
            self.by_id.get(&flag.id).copied().or_else(|| self.look_up_key(&flag.id.to_string()));
        by_id.or_else(|| self.look_up(flag.key)).and_then(|at| self.at(at))
    }

    /// The flags with any or all of these tags, in the order of their ids.
    pub fn tagged<'a>(
        &'a self,
        tags: &[Box<str>],
        operator: TagsOperator,
    ) -> Vec<&'a CompiledFlag> {
        let tags: HashSet<&str> = tags.iter().map(|tag| &**tag).collect();
        let lists = || tags.iter().map(|tag| self.by_tag.get(*tag));
        let mut found: Vec<u32> = match operator {
            TagsOperator::Any => lists().flatten().flatten().copied().collect(),
            TagsOperator::All => {
                // An unknown tag has no list, and then nothing has all tags.
                let Some(mut lists) = lists().collect::<Option<Vec<_>>>() else {
                    return Vec::new();
                };
                lists.sort_unstable_by_key(|list| list.len());
                let (shortest, others) =
                    lists.split_first().map_or((&[][..], &[][..]), |(it, rest)| (it, rest));
                let in_all = |at: &&u32| others.iter().all(|list| list.binary_search(at).is_ok());
                shortest.iter().filter(in_all).copied().collect()
            }
        };
        found.sort_unstable_by_key(|at| self.at(*at).map(|flag| flag.head.id));
        found.dedup();
        found.into_iter().filter_map(|at| self.at(at)).collect()
    }

    /// All flags, in the order they were defined in.
    pub fn flags(&self) -> impl ExactSizeIterator<Item = &CompiledFlag> {
        self.flags.iter().map(|flag| &**flag)
    }

    /// Whether a look-up of the flag's id finds this very flag, and not a later one with the same id.
    pub fn shows(&self, flag: &CompiledFlag) -> bool {
        let found = self.by_id.get(&flag.head.id.0).and_then(|at| self.at(*at));
        found.is_some_and(|it| std::ptr::eq(it, flag))
    }

    /// How many flags there are.
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// The flag with this key, whatever flags have it as their id.
    pub fn by_key(&self, key: &str) -> Option<&CompiledFlag> {
        self.look_up_key(key).and_then(|at| self.at(at))
    }

    /// The flag with this id, if it is the only one or the last one with it.
    pub fn by_id(&self, id: FlagId) -> Option<&CompiledFlag> {
        self.by_id.get(&id.0).and_then(|at| self.at(*at))
    }

    /// Whether there are no flags.
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    /// One look-up of Flagr's: the text as an id, then as a key.
    #[inline]
    pub(crate) fn look_up(&self, text: &str) -> Option<u32> {
        if text.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && let Some(at) = decimal(text).and_then(|id| self.by_id.get(&id))
        {
            return Some(*at);
        }
        self.look_up_key(text)
    }

    #[inline]
    pub(crate) fn look_up_key(&self, key: &str) -> Option<u32> {
        let same = |at: &u32| self.at(*at).is_some_and(|flag| *flag.head.key == *key);
        self.by_key.find(self.hasher.hash_one(key), same).copied()
    }

    /// Adds a flag.
    pub(crate) fn insert(&mut self, flag: Arc<CompiledFlag>, precedence: Precedence) {
        let Ok(at) = u32::try_from(self.flags.len()) else { return };
        if !self.filtered.is_empty() {
            self.filtered.remove(&self.hasher.hash_one(&*flag.head.key));
            self.filtered.remove(&self.hasher.hash_one(&*flag.head.id.to_string()));
        }
        let hash = self.hasher.hash_one(&*flag.head.key);
        let flags = &self.flags;
        let same =
            |it: &u32| flags.get(*it as usize).is_some_and(|it| it.head.key == flag.head.key);
        match self.by_key.find_mut(hash, same) {
            Some(entry) => *entry = at,
            None => {
                let hasher = &self.hasher;
                let rehash = |it: &u32| {
                    flags.get(*it as usize).map_or(0, |it| hasher.hash_one(&*it.head.key))
                };
                self.by_key.insert_unique(hash, at, rehash);
            }
        }
        if flag.head.id.0 != 0 {
            let known = self.by_id.entry(flag.head.id.0).or_insert(at);
            if precedence == Precedence::Hides {
                *known = at;
            }
        }
        for tag in &*flag.head.tags {
            let list = self.by_tag.entry(tag.clone()).or_default();
            if list.last() != Some(&at) {
                list.push(at);
            }
        }
        self.flags.push(flag);
    }

    pub(crate) fn arc(&self, at: u32) -> Option<&Arc<CompiledFlag>> {
        self.flags.get(at as usize)
    }
}

/// The number that this text is the plain decimal form of.
fn decimal(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}
