//! The table: rows as the benchmarks write them, for a terminal, as JSON and as a page.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Something measured, as `benches/src/row.rs` writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) unit: String,
    pub(crate) ours: f64,
    pub(crate) peer: Option<Peer>,
    /// Ours by the peer's, where it was taken in pairs; otherwise it is that of both figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    pub(crate) bar: Option<Bar>,
}

/// The same of somebody else, in the same run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// What the ratio has to come to; without a peer, our own figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.ratio.or_else(|| self.peer.as_ref().map(|peer| self.ours / peer.value))
    }

    /// Whether the bar is met, where there is one.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let judged = self.ratio().unwrap_or(self.ours);
        self.bar.map(|bar| match bar {
            Bar::AtMost(bar) => judged <= bar,
            Bar::AtLeast(bar) => judged >= bar,
        })
    }

    /// Work, ours, peer, ratio, bar, met or not.
    fn cells(&self) -> [String; 6] {
        let figure = |value| format!("{} {}", short(value), self.unit);
        [
            self.work.clone(),
            figure(self.ours),
            self.peer
                .as_ref()
                .map(|it| format!("{}, {}", figure(it.value), it.name))
                .unwrap_or_default(),
            self.ratio().map(short).unwrap_or_default(),
            match self.bar {
                Some(Bar::AtMost(bar)) => format!("≤ {bar}"),
                Some(Bar::AtLeast(bar)) => format!("≥ {bar}"),
                None => String::new(),
            },
            match self.is_met() {
                Some(true) => "met".to_owned(),
                Some(false) => "**missed**".to_owned(),
                None => String::new(),
            },
        ]
    }
}

const HEAD: [&str; 6] = ["work", "ours", "peer", "ratio", "bar", ""];

/// The lines that benchmarks wrote, one row each.
pub(crate) fn read(lines: &str) -> Result<Vec<Row>> {
    let rows = lines.lines().filter(|it| !it.trim().is_empty());
    rows.map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}")))
        .collect()
}

/// For a terminal.
pub(crate) fn text(rows: &[Row]) -> String {
    let lines: Vec<[String; 6]> =
        std::iter::once(HEAD.map(str::to_owned)).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 6];
    for cells in &lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for cells in &lines {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = padded.collect::<Vec<_>>().join("  ").replace("**", "");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// As a page.
pub(crate) fn page(rows: &[Row], about: &str) -> String {
    let mut text = format!(
        "# Benchmarks\n\n\
         `cargo xtask bench` wrote this page.\n\
         Compare ratios, which were taken in one run, and never nanoseconds of different machines.\n\
         Each benchmark asserts the right answer inside its loop.\n\n\
         Rows over HTTP ask both sides in turn, three seconds each, nine times: their ratio is the median of the nine ratios, \
         not the quotient of the medians beside it.\n\
         The bar for 10,000 flags against 10 is for ten flags in use, wherever they lie: who walks through all 10,000 in any \
         order waits for memory, in whatever library, which is the row after it.\n\n{about}\n\n"
    );
    let _ = writeln!(text, "| {} |", HEAD.join(" | "));
    let _ = writeln!(text, "|---|---|---|---|---|---|");
    for row in rows {
        let cells = row.cells().map(|it| it.replace('|', "\\|"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// Three digits that matter, and thousands apart.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 1_000.0 {
        return apart(value);
    }
    let digits = if size == 0.0 || size >= 100.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}

fn apart(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests;
