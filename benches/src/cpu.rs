//! CPU time of a thread, and ratios of it taken in one run.

/// The CPU time of this thread so far, in nanoseconds.
pub fn time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Prints the ratio of two medians against a bar.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub fn report(what: &str, ours: Vec<f64>, theirs: Vec<f64>, bar: f64) {
    let (ours, theirs) = (median(ours), median(theirs));
    println!("{what}: {ours:.1} ns / {theirs:.1} ns = {:.2}, bar {bar}", ours / theirs);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap()
}
