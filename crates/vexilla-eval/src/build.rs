//! From flags to a set of rules: what is unchanged is taken over, what is wrong is kept apart.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use vexilla_domain::{Flag, FlagId, Level, Needs, Problem, Strictness};

use crate::compile::{CompiledFlag, compile};
use crate::program::Compiler;
use crate::ruleset::Ruleset;

/// A new [`Ruleset`], and what was found on the way.
#[derive(Debug)]
pub struct Compilation {
    /// The rules.
    pub ruleset: Ruleset,
    /// What is wrong with flags. Those with an error are quarantined: their last good version is in the rules, or
    /// nothing but the fact that they are in error. Warnings of flags that were taken over are not said again.
    pub problems: Vec<Problem>,
    /// How many flags were taken over from the previous rules.
    pub reused: usize,
}

/// What rules are compiled from.
#[derive(Debug, Clone, Default)]
pub struct Definitions<'a> {
    /// The flags as they are now.
    pub flags: &'a [Flag],
    /// Errors of flags that could not even be read.
    pub unread: Vec<Problem>,
    /// How strictly the flags are to be read.
    pub strictness: Strictness,
    /// Flags of the previous rules that go on as they are, whatever `flags` says of them.
    pub keep: HashSet<FlagId>,
    /// What becomes of the word that flags are filtered out, which the previous rules have.
    pub filtered: Filtered,
}

/// What becomes of the word that flags are filtered out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filtered {
    /// It is forgotten, to be said anew.
    #[default]
    Anew,
    /// It stands, but for the flags that are there now.
    AsBefore,
}

/// Where what flags are made of goes.
#[derive(Default)]
#[non_exhaustive]
pub enum Bodies<'a> {
    /// It stays in the rules.
    #[default]
    Resident,
    /// Somebody else keeps it, and the rules are left with what is needed to find a flag and to tell who decides it:
    /// [`Needs::BODY`](vexilla_domain::Needs::BODY) marks those flags.
    Paged {
        /// Takes the flags whole.
        take: &'a mut (dyn FnMut(CompiledFlag) + 'a),
        /// Whose bodies stay in the rules all the same: several flags have the id, which then finds one of them only.
        resident: HashSet<FlagId>,
    },
}

/// What a flag does to one that is there already and has its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precedence {
    /// Hides it, as the later of two flags does in Flagr.
    Hides,
    /// Leaves it alone: a flag in quarantine must not stand in the way of a good one.
    Yields,
}

/// A set of rules in the making.
pub(crate) struct Build<'b> {
    ruleset: Ruleset,
    bodies: Bodies<'b>,
    compiler: Compiler,
    problems: Vec<Problem>,
    /// Errors of flags that are not in the rules yet.
    quarantined: Vec<Problem>,
    reused: usize,
}

impl<'b> Build<'b> {
    pub(crate) fn new(
        mut ruleset: Ruleset,
        bodies: Bodies<'b>,
        unread: Vec<Problem>,
        capacity: usize,
    ) -> Self {
        ruleset.flags.reserve_exact(capacity);
        Self {
            ruleset,
            bodies,
            compiler: Compiler::default(),
            problems: unread.clone(),
            quarantined: unread,
            reused: 0,
        }
    }

    pub(crate) fn add(&mut self, flag: &Flag, strictness: Strictness, previous: Option<&Ruleset>) {
        // Flagr's database keeps keys apart; a file is only as good as its writer.
        if strictness == Strictness::Checked && self.ruleset.look_up_key(&flag.key).is_some() {
            return self
                .quarantine(flag, "another flag has the same key, and stands before this one");
        }
        let fingerprint = fingerprint(flag);
        let same =
            |it: &&Arc<CompiledFlag>| it.fingerprint == fingerprint && it.head.key == flag.key;
        let known =
            previous.and_then(|rules| rules.arc(*rules.by_id.get(&flag.id.0)?)).filter(same);
        if let Some(known) = known {
            self.reused += 1;
            return self.ruleset.insert(Arc::clone(known), Precedence::Hides);
        }
        let before = self.problems.len();
        match compile(flag, fingerprint, strictness, &mut self.compiler, &mut self.problems) {
            Some(compiled) => {
                let resident = self.resident(compiled);
                self.ruleset.insert(Arc::new(resident), Precedence::Hides);
            }
            None => {
                let found = self.problems.get(before..).unwrap_or_default();
                self.quarantined.extend(found.iter().find(|it| it.level == Level::Error).cloned());
            }
        }
    }

    /// Takes a flag over as it is.
    pub(crate) fn keep(&mut self, flag: &Arc<CompiledFlag>) {
        self.reused += 1;
        self.ruleset.insert(Arc::clone(flag), Precedence::Hides);
    }

    /// A flag that could not even be read.
    pub(crate) fn unread(&mut self, problem: Problem) {
        self.problems.push(problem.clone());
        self.quarantined.push(problem);
    }

    /// What of a flag stays in the rules.
    fn resident(&mut self, flag: CompiledFlag) -> CompiledFlag {
        match &mut self.bodies {
            Bodies::Paged { take, resident } if !resident.contains(&flag.head.id) => {
                let shell = flag.shell();
                if shell.needs.any_of(Needs::BODY) {
                    take(flag);
                }
                shell
            }
            _ => flag,
        }
    }

    fn quarantine(&mut self, flag: &Flag, message: &str) {
        self.problems.push(Problem {
            level: Level::Error,
            flag_id: flag.id,
            flag: flag.key.clone(),
            path: "key".into(),
            message: message.into(),
        });
    }

    /// Gives the flags in quarantine their last good version, or the word that there is none.
    pub(crate) fn finish(
        mut self,
        strictness: Strictness,
        previous: Option<&Ruleset>,
    ) -> Compilation {
        for problem in &self.quarantined {
            let flag = match previous.and_then(|rules| last_good(rules, problem, strictness)) {
                Some(flag) => Arc::clone(flag),
                None if problem.flag.is_empty() => continue,
                None => Arc::new(CompiledFlag::broken(problem)),
            };
            if self.ruleset.look_up_key(&flag.head.key).is_none() {
                self.ruleset.insert(flag, Precedence::Yields);
            }
        }
        self.ruleset.zero = self.ruleset.look_up("0");
        Compilation { ruleset: self.ruleset, problems: self.problems, reused: self.reused }
    }
}

/// The version of a flag that was served before. A file may number its flags anew each time, so there only the key tells
/// which one it was; in a database the id does too, when the key has changed.
fn last_good<'r>(
    rules: &'r Ruleset,
    problem: &Problem,
    strictness: Strictness,
) -> Option<&'r Arc<CompiledFlag>> {
    let by_key = rules.look_up_key(&problem.flag).filter(|_| !problem.flag.is_empty());
    let by_id = || {
        rules.by_id.get(&problem.flag_id.0).copied().filter(|_| strictness == Strictness::AsStored)
    };
    rules.arc(by_key.or_else(by_id)?)
}

/// A hash of everything a definition says: equal for equal definitions within one process.
pub fn fingerprint(flag: &Flag) -> u64 {
    let mut hasher = rapidhash::fast::RapidHasher::default();
    flag.hash(&mut hasher);
    hasher.finish()
}
