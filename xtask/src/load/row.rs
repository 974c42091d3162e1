//! What was measured, beside what it is held against.

use std::fmt::Write;

use serde::Serialize;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What was done.
    pub(crate) work: String,
    /// Of `ours` and `peer`: `requests/s`, or `bytes`.
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    /// Who else did it.
    pub(crate) peer_name: &'static str,
    /// Its number; none where ours is held against the bar itself.
    pub(crate) peer: Option<f64>,
    /// Ours by the peer's.
    pub(crate) ratio: Option<f64>,
    pub(crate) bar: Bar,
}

/// What the ratio, or where there is none our number, has to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtLeast(f64),
    LessThan(f64),
}

impl Row {
    /// Of rates measured in pairs, one after the other: the median of their ratios, beside the medians of both.
    pub(crate) fn of_pairs(
        work: impl Into<String>,
        peer_name: &'static str,
        pairs: &[(f64, f64)],
        bar: f64,
    ) -> Self {
        Self {
            work: work.into(),
            unit: "requests/s",
            ours: median(pairs.iter().map(|it| it.0)),
            peer_name,
            peer: Some(median(pairs.iter().map(|it| it.1))),
            ratio: Some(median(pairs.iter().map(|it| it.0 / it.1))),
            bar: Bar::AtLeast(bar),
        }
    }

    /// Of bytes that are to be few.
    pub(crate) fn of_bytes(work: impl Into<String>, ours: f64, bar: f64) -> Self {
        let work = work.into();
        let bar = Bar::LessThan(bar);
        Self { work, unit: "bytes", ours, peer_name: "", peer: None, ratio: None, bar }
    }

    /// Whether it is as it has to be.
    pub(crate) fn is_met(&self) -> bool {
        let judged = self.ratio.unwrap_or(self.ours);
        match self.bar {
            Bar::AtLeast(bar) => bar <= judged,
            Bar::LessThan(bar) => judged < bar,
        }
    }
}

/// The value in the middle; of none, nothing that is met.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// All rows, one below the other.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = String::new();
    for row in rows {
        let Row { work, unit, ours, peer_name, peer, ratio, bar } = row;
        let peer = peer.map_or(String::new(), |it| format!("{peer_name} {it:.0}"));
        let ratio = ratio.map_or(String::new(), |it| format!("{it:.2}"));
        let bar = match bar {
            Bar::AtLeast(bar) => format!("≥ {bar}"),
            Bar::LessThan(bar) => format!("< {bar}"),
        };
        let met = if row.is_met() { "met" } else { "MISSED" };
        // Writing to a text cannot fail.
        _ = writeln!(
            table,
            "{work:<34} {ours:>9.0} {unit:<10} {peer:<20} {ratio:>6}  {bar:<8} {met}"
        );
    }
    table
}

#[cfg(test)]
mod tests;
