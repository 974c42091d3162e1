//! The run: flags in turn, a batch of each, until there are enough cases.

use vexilla_domain::{
    Answer, Context, Debug, Flag, FlagRef, RemoteErrorKind, RemoteEvaluator, Strictness,
};
use vexilla_eval::Ruleset;

use super::ask::{Asker, Reply};
use super::cases::Cases;
use super::compare::{Comparison, compare};
use super::options::Options;
use super::report::{Difference, Ending, Flaw, Progress, Report, Skipped};
use super::shrink::{Found, shrink};
use super::{reproduction, skip};

/// So many differences of one flag are made small and kept; the others are counted.
const KEPT: usize = 3;

/// A flag that Flagr fails at so often is given up.
const MOST_FLAWS: u32 = 20;

/// Decides generated cases here and in Flagr, and tells the differences. `progress` is called after each request.
pub(crate) async fn run(
    flags: &[Flag],
    remote: &dyn RemoteEvaluator,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Report {
    let rules = Ruleset::compile(flags, Vec::new(), Strictness::AsStored, None).ruleset;
    let mut report = Report::default();
    let mut turns = Vec::new();
    for flag in flags {
        match skip::reason(flag, &rules, options) {
            Some(skipped) => report.skipped.push(skipped),
            None => turns.push(Turn::new(flag, options.seed)),
        }
    }
    if turns.is_empty() {
        report.ending = Ending::NothingToAsk;
        return report;
    }
    let mut run = Run { rules: &rules, asker: Asker::new(remote, options.rate), report };
    let mut left = options.cases;
    while left > 0 && !turns.is_empty() && run.report.ending == Ending::Finished {
        for turn in &mut turns {
            let size = options.batch.max(1).min(usize::try_from(left).unwrap_or(usize::MAX));
            if size == 0 || run.report.ending != Ending::Finished {
                break;
            }
            run.take(turn, size).await;
            left = left.saturating_sub(u64::try_from(size).unwrap_or(u64::MAX));
            progress(Progress {
                done: options.cases - left,
                of: options.cases,
                differing: run.report.differing,
                flag: turn.flag.id,
            });
        }
        turns.retain(|turn| !turn.is_over);
    }
    run.report
}

/// A flag, and what came of it so far.
struct Turn<'f> {
    flag: &'f Flag,
    cases: Cases,
    kept: usize,
    flaws: u32,
    is_over: bool,
}

impl<'f> Turn<'f> {
    fn new(flag: &'f Flag, seed: u64) -> Self {
        Self { flag, cases: Cases::new(flag, seed), kept: 0, flaws: 0, is_over: false }
    }
}

struct Run<'r> {
    rules: &'r Ruleset,
    asker: Asker<'r>,
    report: Report,
}

impl Run<'_> {
    /// Asks for one batch of a flag.
    async fn take(&mut self, turn: &mut Turn<'_>, size: usize) {
        let contexts: Vec<Context> = (0..size).map(|_| turn.cases.make()).collect();
        let replies = self.asker.ask(turn.flag.id, &contexts).await;
        for (context, reply) in contexts.into_iter().zip(replies) {
            self.judge(turn, context, reply).await;
            if turn.is_over {
                break;
            }
        }
        if self.asker.is_lost() {
            let last = self.report.flaws.last().map(|it| it.message.clone());
            self.report.ending = Ending::GaveUp(last.unwrap_or_default());
        }
    }

    async fn judge(&mut self, turn: &mut Turn<'_>, context: Context, reply: Option<Reply>) {
        let theirs = match reply {
            Some(Ok(theirs)) => theirs,
            Some(Err(error)) => {
                let panicked = error.kind() == RemoteErrorKind::BadFlag;
                return self.flaw(turn, context, error.to_string(), panicked);
            }
            None if self.asker.is_lost() => {
                self.report.unanswered += 1;
                return;
            }
            None => return self.flaw(turn, context, "the answer lacks this entity".into(), false),
        };
        let ours = decide(self.rules, turn.flag, &context);
        self.report.compared += 1;
        match compare(&ours, &theirs) {
            Comparison::Same => {}
            Comparison::Moved => {
                self.report.compared -= 1;
                self.give_up(turn, "it was changed while it was asked for");
            }
            Comparison::Different(_) => {
                self.report.differing += 1;
                if turn.kept < KEPT {
                    turn.kept += 1;
                    self.keep(turn.flag, Found { context, ours, theirs }).await;
                }
            }
        }
    }

    fn flaw(&mut self, turn: &mut Turn<'_>, context: Context, message: String, panicked: bool) {
        self.report.unanswered += 1;
        turn.flaws += 1;
        if turn.flaws == 1 {
            let flag = skip::name(turn.flag);
            self.report.flaws.push(Flaw { flag, context, message, panicked });
        }
        if turn.flaws == MOST_FLAWS {
            self.give_up(turn, "Flagr failed at it too often");
        }
    }

    fn give_up(&mut self, turn: &mut Turn<'_>, reason: &str) {
        turn.is_over = true;
        self.report
            .skipped
            .push(Skipped { flag: skip::name(turn.flag), reason: reason.to_owned() });
    }

    /// Makes a difference small and keeps it.
    async fn keep(&mut self, flag: &Flag, found: Found) {
        let rules = self.rules;
        let decide = |context: &Context| decide(rules, flag, context);
        let Found { context, ours, theirs } =
            shrink(found, flag.id, &mut self.asker, &decide).await;
        let Comparison::Different(mismatches) = compare(&ours, &theirs) else { return };
        let reproduction = reproduction::write(flag, &context, &ours, &theirs);
        let flag = skip::name(flag);
        self.report.differences.push(Difference { flag, context, mismatches, reproduction });
    }
}

/// The answer of the rules held here.
fn decide(rules: &Ruleset, flag: &Flag, context: &Context) -> Answer {
    let held = rules.resolve(FlagRef { id: flag.id.0, key: "" });
    let entity_id = context.entity_id();
    let (evaluation, log) =
        Ruleset::evaluate_logged(held, flag.id.0, entity_id, context, Debug::Off);
    Answer { evaluation: evaluation.to_owned(), entity_id: entity_id.into(), log }
}
