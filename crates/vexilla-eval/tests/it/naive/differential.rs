//! Random flags and contexts: the crate and the plain interpreter agree.
//!
//! `VEXILLA_CASES` sets how many cases there are, `VEXILLA_SEED` (a number) which ones; a failure names both.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use vexilla_domain::{Constraint, Context, Flag, Reason, Segment, Strictness};
use vexilla_eval::{Compilation, EvaluationRef, Ruleset, Verdict, check_constraint};

use super::flag::{Decision, decide, loads, outcome};
use super::{Outcome, generate, parse, source};
use crate::conditions::flag_of;

const CASES: u32 = 4_000;

#[expect(clippy::disallowed_methods, reason = "a slow test asks an environment variable")]
fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(default)
}

fn run<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let (cases, seed) = (setting("VEXILLA_CASES", CASES), setting("VEXILLA_SEED", 1_u64));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    if let Err(error) = runner.run(strategy, test) {
        panic!("{error}\nagain with VEXILLA_CASES={cases} VEXILLA_SEED={seed}");
    }
}

/// How often each outcome came up: a test of which most cases fail alike tests little.
#[derive(Default)]
struct Tally(std::cell::RefCell<std::collections::BTreeMap<String, u32>>);

impl Tally {
    fn count(&self, what: impl Into<String>) {
        *self.0.borrow_mut().entry(what.into()).or_default() += 1;
    }

    #[expect(clippy::print_stdout, reason = "a long run says what it has met")]
    fn print_and_check(&self, wanted: &[&str]) {
        let counts = self.0.borrow();
        println!("{counts:?}");
        for it in wanted {
            assert!(counts.contains_key(*it), "no case came out as `{it}`: {counts:?}");
        }
    }
}

/// Whether the flag was refused because of a limit of this crate's, which says nothing about the language.
fn is_limit(compilation: &Compilation) -> bool {
    compilation.problems.iter().any(|it| it.message.starts_with("regex pattern"))
}

fn compile(flag: &Flag) -> Compilation {
    Ruleset::compile(std::slice::from_ref(flag), Vec::new(), Strictness::AsStored, None)
}

#[test]
fn each_constraint_is_taken_or_refused_alike() {
    let tally = Tally::default();
    run(&generate::constraint(), |it| {
        let Constraint { property, operator, value, .. } = &it;
        let ours = check_constraint(property, operator, value);
        let plain = source::constraint(&it).is_some_and(|text| parse::parse(&text).is_some());
        tally.count(if plain { "taken" } else { "refused" });
        prop_assert_eq!(ours.is_ok(), plain, "{:?}: {:?}", it, ours);
        Ok(())
    });
    tally.print_and_check(&["taken", "refused"]);
}

/// One segment: what its constraints come to.
fn segment_agrees(
    constraints: &[Constraint],
    contexts: &[Context],
    tally: &Tally,
) -> Result<(), TestCaseError> {
    let mut flag = flag_of(&[]);
    flag.segments[0].constraints = constraints.to_vec();
    let compilation = compile(&flag);
    if is_limit(&compilation) {
        tally.count("limit");
        return Ok(());
    }
    let is_broken = compilation.ruleset.find("flag").expect("the flag").is_broken();
    prop_assert_eq!(is_broken, !loads(&flag), "{:?}", compilation.problems);
    if is_broken {
        tally.count("refused");
        return Ok(());
    }
    for ctx in contexts {
        let plain = outcome(&flag.segments[0], ctx);
        tally.count(plain.word());
        let explanation = compilation.ruleset.explain("flag", ctx).expect("the flag");
        let ours = match &explanation.segments[0].verdict {
            Verdict::Matched => Outcome::Match,
            Verdict::NotMatched => Outcome::NoMatch,
            Verdict::Failed(_) => Outcome::Error,
            Verdict::NoContext => Outcome::NoContext,
        };
        prop_assert_eq!(
            ours,
            plain,
            "{:?} for {:?}",
            source::segment(&flag.segments[0].constraints),
            ctx
        );
    }
    Ok(())
}

#[test]
fn segments_come_to_the_same() {
    let tally = Tally::default();
    let cases = (
        prop::collection::vec(generate::constraint(), 1..3),
        prop::collection::vec(generate::context(), 1..4),
    );
    run(&cases, |(constraints, contexts)| segment_agrees(&constraints, &contexts, &tally));
    tally.print_and_check(&["match", "no match", "error", "no context", "refused"]);
}

/// What the crate decided, in the plain interpreter's words.
fn decision(it: &EvaluationRef<'_>) -> Option<Decision> {
    Some(match it.reason {
        Reason::Disabled => Decision::Disabled,
        Reason::NoSegments => Decision::NoSegments,
        Reason::NoMatch => Decision::NoMatch,
        Reason::Holdout => Decision::Out,
        Reason::TargetingMatch | Reason::Static | Reason::Split => {
            Decision::Variant(it.variant_id.0, it.segment_id.0, it.variant_key().map(str::to_owned))
        }
        _ => return None,
    })
}

fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Disabled => "disabled",
        Decision::NoSegments => "no segments",
        Decision::NoMatch => "no match",
        Decision::Out => "out",
        Decision::Variant(..) => "variant",
    }
}

#[test]
fn flags_give_the_same_variants() {
    let tally = Tally::default();
    let cases = (generate::flag(), prop::collection::vec(generate::context(), 1..4));
    run(&cases, |(mut flag, contexts)| {
        // A single constraint that Flagr cannot read keeps it from loading; so here only flags that it would load count.
        flag.segments.iter_mut().for_each(keep_what_loads);
        let compilation = compile(&flag);
        if is_limit(&compilation) {
            tally.count("limit");
            return Ok(());
        }
        for ctx in &contexts {
            let plain = decide(&flag, ctx);
            tally.count(word(&plain));
            let ours = compilation.ruleset.evaluate("flag", ctx);
            prop_assert_eq!(decision(&ours), Some(plain), "{:?}", compilation.problems);
            let explained = compilation.ruleset.explain("flag", ctx).expect("the flag");
            prop_assert_eq!(explained.evaluation, ours.to_owned());
        }
        Ok(())
    });
    tally.print_and_check(&["disabled", "no segments", "no match", "out", "variant"]);
}

fn keep_what_loads(segment: &mut Segment) {
    while source::segment(&segment.constraints).is_none_or(|text| parse::parse(&text).is_none()) {
        if segment.constraints.pop().is_none() {
            return;
        }
    }
}
