//! Runs the checks of the fuzz targets without libFuzzer: on the seeds first, then on random changes of them.
//!
//! It finds less than libFuzzer, which sees what an input reaches, and needs nothing but a stable compiler.
//!
//! `cargo run --release --manifest-path fuzz/Cargo.toml -p vexilla-fuzz-quick -- SECONDS [TARGET [SEED]]`

use std::env;
use std::panic;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use vexilla_fuzz::{archive, condition, context, flags, pattern, request, webhook};

mod change;

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
        [seconds] => (seconds.parse(), None, 1),
        [seconds, only] => (seconds.parse(), Some(only), 1),
        [seconds, only, seed] => (seconds.parse(), Some(only), seed.parse().unwrap_or(1)),
        [] | [..] => return usage(),
    };
    let Ok(seconds) = seconds.map(Duration::from_secs) else { return usage() };
    let seeds = vexilla_fuzz_seed::seeds();
    let mut ran = false;
    for (name, check, longest) in TARGETS {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        ran = true;
        let seeds = seeds.iter().filter(|it| it.0 == name).map(|it| it.1.clone()).collect();
        if !run(name, check, longest, seeds, seconds, seed) {
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
    println!("{name}: {count} inputs, {} of them recorded, all as promised", seeds.len());
    true
}
