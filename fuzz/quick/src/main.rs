//! Runs the checks of the fuzz targets without libFuzzer: on the seeds first, then on random changes of them.
//!
//! It finds less than libFuzzer, which sees what an input reaches, and needs nothing but a stable compiler.
//!
//! `cargo run --release --manifest-path fuzz/Cargo.toml -p vexilla-fuzz-quick -- SECONDS [TARGET [SEED]]`
//!
//! Each run makes other changes, unless SEED says which; the line of a target ends with the seed that repeats it.

use std::env;
use std::panic;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use vexilla_fuzz::{archive, condition, context, flags, pattern, request, webhook};

mod change;

/// How this is run at the root of the repository.
const COMMAND: &str =
    "cargo run --release --manifest-path fuzz/Cargo.toml --package vexilla-fuzz-quick --";

type Check = fn(&[u8]);

/// The targets, with the longest input that is worth making.
const TARGETS: [(&str, Check, usize); 7] = [
    ("archive", archive::check, 4096),
    ("condition", condition::check, 512),
    ("context", context::check, 4096),
    ("flags", flags::check, 4096),
    ("pattern", pattern::check, 256),
    ("request", request::check, 4096),
    ("webhook", webhook::check, 4096),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (seconds, only, seed) = match arguments.as_slice() {
        [seconds] => (seconds, None, None),
        [seconds, only] => (seconds, Some(only), None),
        [seconds, only, seed] => (seconds, Some(only), Some(seed)),
        [] | [..] => return usage(),
    };
    let Ok(limit) = seconds.parse().map(Duration::from_secs) else { return usage() };
    let seed = match seed.map(|it| it.parse::<u64>()) {
        None => fastrand::u64(..),
        Some(Ok(seed)) => seed,
        Some(Err(error)) => {
            eprintln!("vexilla-fuzz-quick: SEED is no number: {error}");
            return usage();
        }
    };
    let seeds = vexilla_fuzz_seed::seeds();
    let mut ran = false;
    for (name, check, longest) in TARGETS {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        ran = true;
        let seeds = seeds.iter().filter(|it| it.0 == name).map(|it| it.1.clone()).collect();
        if !run(name, check, longest, seeds, limit, seed) {
            return ExitCode::FAILURE;
        }
    }
    if ran { ExitCode::SUCCESS } else { usage() }
}

fn usage() -> ExitCode {
    eprintln!("usage: vexilla-fuzz-quick SECONDS [TARGET [SEED]]");
    ExitCode::from(2)
}

/// Runs one target for a while, and says whether it held.
fn run(
    name: &str,
    check: Check,
    longest: usize,
    seeds: Vec<Vec<u8>>,
    limit: Duration,
    seed: u64,
) -> bool {
    let mut random = fastrand::Rng::with_seed(seed);
    let until = Instant::now() + limit;
    let mut count = 0_u64;
    let mut holds = |input: &[u8]| {
        count += 1;
        let held = panic::catch_unwind(|| check(input)).is_ok();
        if !held {
            println!("{name}: FAILED on \"{}\"", input.escape_ascii());
            println!("again with: {COMMAND} {} {name} {seed}", limit.as_secs());
        }
        held
    };
    for input in &seeds {
        if !holds(input) {
            return false;
        }
    }
    while Instant::now() < until {
        for _ in 0..16 {
            if !holds(&change::input(&seeds, longest, &mut random)) {
                return false;
            }
        }
    }
    let recorded = seeds.len();
    println!("{name}: {count} inputs, {recorded} of them recorded, all as promised; seed {seed}");
    true
}
