//! The run: flags in turn, a batch of each, until there are enough cases; then once more for what was changed meanwhile.

use std::time::Duration;

use tokio::time::sleep;
use vexilla_domain::{
    Answer, Context, Debug, Depth, Flag, FlagRef, RemoteErrorKind, SourceError, Strictness,
};
use vexilla_eval::Ruleset;

use super::ask::{Asker, Reply};
use super::cases::Cases;
use super::compare::{Comparison, compare};
use super::options::Options;
use super::peer::Peer;
use super::report::{Difference, Ending, Flaw, Progress, Report, Skipped};
use super::shrink::{Found, shrink};
use super::{reproduction, skip};
use crate::explain::text;

/// So many differences of one flag are kept, each another one; the others are counted.
const KEPT: usize = 3;

/// So many differences of one flag are made small, to find those that are kept.
const SHRUNK: usize = 10;

/// A flag that Flagr fails at so often is given up.
const MOST_FLAWS: u32 = 20;

/// So often flags are read again that changed while they were asked for.
const ROUNDS: u32 = 3;

/// After this time at the latest Flagr evaluates what it was told, with its defaults.
const LAG: Duration = Duration::from_secs(4);

/// Decides generated cases here and in Flagr, and writes down the differences. `progress` is called after each request.
/// What is dropped half way leaves a report that holds until then.
pub(crate) async fn run(
    mut flags: Vec<Flag>,
    peer: Peer<'_>,
    options: &Options,
    report: &mut Report,
    progress: &mut (dyn FnMut(Progress) + Send),
) {
    report.known = flags.len();
    let mut options = options.clone();
    for round in 1..=ROUNDS {
        let is_last = round == ROUNDS;
        let share = self::round(&flags, (peer, &options, is_last), report, progress).await;
        let moved = std::mem::take(&mut report.moved);
        if moved.is_empty() || report.ending != Ending::Finished {
            break;
        }
        flags = match read_again(peer).await {
            Ok(flags) => flags,
            Err(error) => {
                report.ending = Ending::GaveUp(error.to_string());
                break;
            }
        };
        for name in &moved {
            if !flags.iter().any(|it| it.id == name.id) {
                report.skipped.push(Skipped::new(name.clone(), "it was deleted meanwhile"));
            }
        }
        flags.retain(|it| moved.iter().any(|name| name.id == it.id));
        options.cases = share.saturating_mul(u64::try_from(flags.len()).unwrap_or(u64::MAX));
    }
    if report.asked.is_empty() && report.ending == Ending::Finished {
        report.ending = Ending::NothingToAsk;
    }
}

/// The flags, once they are what Flagr evaluates.
async fn read_again(peer: Peer<'_>) -> Result<Vec<Flag>, SourceError> {
    sleep(LAG).await;
    let fetch = peer.source.fetch(None, Depth::Full).await?;
    Ok(fetch.changed.unwrap_or_default().flags)
}

/// Asks for each of these flags, and tells how many cases each of them got. In the last round what an answer of unknown
/// version says differently is a difference; before, the flag may have changed.
async fn round(
    flags: &[Flag],
    (peer, options, is_last): (Peer<'_>, &Options, bool),
    report: &mut Report,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> u64 {
    let rules = Ruleset::compile(flags, Vec::new(), Strictness::AsStored, None).ruleset;
    let mut turns = Vec::new();
    for flag in flags {
        match skip::reason(flag, &rules, options) {
            Some(skipped) => report.skipped.push(skipped),
            None => turns.push(Turn::new(flag, options.seed)),
        }
    }
    let count = u64::try_from(turns.len()).unwrap_or(u64::MAX);
    // Each flag gets its share, and one case at least.
    let cases = options.cases.max(count);
    let share = cases / count.max(1);
    let batch = options.batch.clamp(1, usize::try_from(share).unwrap_or(usize::MAX).max(1));
    let mut run =
        Run { rules: &rules, asker: Asker::new(peer, options.rate), options, is_last, report };
    let mut left = cases;
    while left > 0 && !turns.is_empty() && run.report.ending == Ending::Finished {
        for turn in &mut turns {
            let size = batch.min(usize::try_from(left).unwrap_or(usize::MAX));
            if size == 0 || run.report.ending != Ending::Finished {
                break;
            }
            run.take(turn, size).await;
            left = left.saturating_sub(u64::try_from(size).unwrap_or(u64::MAX));
            progress(Progress {
                done: cases - left,
                of: cases,
                differing: run.report.differing,
                flag: turn.flag.id,
            });
        }
        turns.retain(|turn| !turn.is_over);
    }
    share
}

/// A flag, and what came of it so far.
struct Turn<'f> {
    flag: &'f Flag,
    cases: Cases,
    shrunk: usize,
    kept: Vec<String>,
    flaws: u32,
    is_over: bool,
}

impl<'f> Turn<'f> {
    fn new(flag: &'f Flag, seed: u64) -> Self {
        let cases = Cases::new(flag, seed);
        Self { flag, cases, shrunk: 0, kept: Vec::new(), flaws: 0, is_over: false }
    }
}

struct Run<'r> {
    rules: &'r Ruleset,
    asker: Asker<'r>,
    options: &'r Options,
    is_last: bool,
    report: &'r mut Report,
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
        if let Some(why) = self.asker.lost() {
            self.report.ending = Ending::GaveUp(why.to_owned());
        }
    }

    async fn judge(&mut self, turn: &mut Turn<'_>, context: Context, reply: Option<Reply>) {
        let theirs = match reply {
            Some(Ok(theirs)) => theirs,
            Some(Err(error)) => {
                let panicked = error.kind() == RemoteErrorKind::BadFlag;
                return self.flaw(turn, context, error.to_string(), panicked);
            }
            None if self.asker.lost().is_some() => {
                self.report.unanswered += 1;
                return;
            }
            None => return self.flaw(turn, context, "the answer lacks this entity".into(), false),
        };
        let ours = decide(self.rules, turn.flag, &context);
        match compare(&ours, &theirs) {
            Comparison::Same => self.count(turn),
            Comparison::Moved => self.moved(turn),
            Comparison::Different { is_certain: false, .. } if !self.is_last => self.moved(turn),
            Comparison::Different { .. } => {
                self.count(turn);
                self.report.differs(skip::name(turn.flag));
                if turn.kept.len() < KEPT && turn.shrunk < SHRUNK {
                    turn.shrunk += 1;
                    self.keep(turn, Found { context, ours, theirs }).await;
                }
            }
        }
    }

    fn count(&mut self, turn: &Turn<'_>) {
        self.report.compared += 1;
        self.report.asked.insert(turn.flag.id);
    }

    fn moved(&mut self, turn: &mut Turn<'_>) {
        if self.is_last {
            self.give_up(turn, "it was changed while it was asked for, again and again");
        } else {
            turn.is_over = true;
            self.report.moved.push(skip::name(turn.flag));
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
        self.report.given_up.push(Skipped::new(skip::name(turn.flag), reason));
    }

    /// Makes a difference small, and keeps it if there is none like it.
    async fn keep(&mut self, turn: &mut Turn<'_>, found: Found) {
        let (rules, flag) = (self.rules, turn.flag);
        let decide = |context: &Context| decide(rules, flag, context);
        let found = shrink(found, flag.id, &mut self.asker, &decide).await;
        let reproduction = reproduction::write(flag, &found, self.options.seed);
        let Comparison::Different { mismatches, .. } = compare(&found.ours, &found.theirs) else {
            return;
        };
        if turn.kept.contains(&reproduction) {
            return;
        }
        turn.kept.push(reproduction.clone());
        let trace = text::trace(&flag.key, rules.explain(&flag.key, &found.context).as_ref(), &[]);
        let (flag, context) = (skip::name(flag), found.context);
        self.report.differences.push(Difference { flag, context, mismatches, trace, reproduction });
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
