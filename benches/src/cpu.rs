//! CPU time of a thread, and ratios of it taken in one run.

use crate::row::Row;

/// The CPU time of this thread so far, in nanoseconds.
pub fn time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Reports the ratio of two medians, which is to be `bar` at most.
pub fn report(work: &str, peer: &str, bar: f64, ours: Vec<f64>, theirs: Vec<f64>) {
    let (ours, theirs) = (median(ours), median(theirs));
    Row::new(work, "ns of CPU", ours).against(peer, theirs).at_most(bar).report();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap()
}
