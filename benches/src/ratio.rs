//! Ratios of two pieces of work, taken in turns so that a noisy machine disturbs both alike.

use std::time::{Duration, Instant};

use crate::row::{Row, is_quick};

/// How long a side runs in one round, about.
const SLICE: Duration = Duration::from_millis(5);

/// Times both sides in turns and reports the lower quartiles and their ratio, which is to be `bar` at most.
pub fn report(work: &str, peer: &str, bar: f64, ours: impl FnMut(), theirs: impl FnMut()) {
    let (ours, theirs) = measure(ours, theirs);
    Row::new(work, "ns", ours).against(peer, theirs).at_most(bar).report();
}

/// Times both sides in turns: the lower quartiles, in nanoseconds.
pub fn measure(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    let rounds = if is_quick() { 31 } else { 101 };
    let (our_batch, their_batch) = (batch(&mut ours), batch(&mut theirs));
    let mut times: (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.0.push(time(&mut ours, our_batch));
        times.1.push(time(&mut theirs, their_batch));
    }
    (lower_quartile(times.0), lower_quartile(times.1))
}

/// How many calls fill a slice.
fn batch(work: &mut impl FnMut()) -> u32 {
    let mut count = 1;
    while count < 1 << 30 {
        if time(work, count) * f64::from(count) > SLICE.as_secs_f64() * 1e9 {
            break;
        }
        count *= 2;
    }
    count
}

/// Nanoseconds for one call.
fn time(work: &mut impl FnMut(), count: u32) -> f64 {
    let started = now();
    for _ in 0..count {
        work();
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn lower_quartile(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 4).copied().unwrap_or(f64::NAN)
}
