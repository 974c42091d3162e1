//! What was measured as a row of the table of benchmarks.

use crate::bench::{Bar, Peer, Row};

/// Of rates measured in pairs, one after the other: the median of their ratios, beside the medians of both.
pub(super) fn of_pairs(work: impl Into<String>, peer: &str, pairs: &[(f64, f64)], bar: f64) -> Row {
    let value = median(pairs.iter().map(|it| it.1));
    Row {
        work: work.into(),
        unit: "requests/s".to_owned(),
        ours: median(pairs.iter().map(|it| it.0)),
        peer: Some(Peer { name: peer.to_owned(), value }),
        ratio: Some(median(pairs.iter().map(|it| it.0 / it.1))),
        bar: Some(Bar::AtLeast(bar)),
    }
}

/// Of what is to be little.
pub(super) fn of_few(work: impl Into<String>, unit: &str, ours: f64, bar: f64) -> Row {
    let (work, unit) = (work.into(), unit.to_owned());
    Row { work, unit, ours, peer: None, ratio: None, bar: Some(Bar::AtMost(bar)) }
}

/// The value in the middle, or between the two there; of none, nothing that is met.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = [values.len().wrapping_sub(1) / 2, values.len() / 2];
    let [low, high] = middle.map(|at| values.get(at).copied().unwrap_or(f64::NAN));
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests;
