//! How many instructions does an evaluation take? Valgrind counts them, so that a busy machine changes nothing.
//!
//! Each function evaluates once and a thousand times: the difference leaves out what surrounds an evaluation. `cargo
//! xtask bench` runs this where valgrind is, with the runner of the version that is used here.

#![expect(missing_docs, unused_qualifications, reason = "what the macros make of it")]

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use vexilla_benches::{flags, rules};
use vexilla_eval::{Context, Ruleset};

type Rig = (Ruleset, Context, u32);

fn rig(segment: &str, evaluations: u32) -> Rig {
    (rules(&flags::many(100, segment)), flags::context(), evaluations)
}

#[library_benchmark]
#[bench::plain_once(args = (flags::PLAIN, 1), setup = rig)]
#[bench::plain_1001_times(args = (flags::PLAIN, 1_001), setup = rig)]
#[bench::targeted_once(args = (flags::TARGETED, 1), setup = rig)]
#[bench::targeted_1001_times(args = (flags::TARGETED, 1_001), setup = rig)]
#[bench::split_once(args = (flags::SPLIT, 1), setup = rig)]
#[bench::split_1001_times(args = (flags::SPLIT, 1_001), setup = rig)]
fn evaluate((rules, ctx, evaluations): Rig) -> Rig {
    for _ in 0..evaluations {
        let it = rules.evaluate(black_box("flag-0"), black_box(&ctx));
        assert_eq!(it.variant_key(), Some("on"));
    }
    (rules, ctx, evaluations) // dropped outside
}

library_benchmark_group!(name = evaluations, benchmarks = evaluate);
main!(library_benchmark_groups = evaluations);
