//! A line of the table that `cargo xtask bench` prints: what was measured, against what, and the bar.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;

use serde_json::json;

/// Names the file to which each row is appended as a line of JSON, besides being printed.
const ROWS: &str = "VEXILLA_BENCH_ROWS";

/// Set where a rough figure soon is worth more than a good one later.
const QUICK: &str = "VEXILLA_BENCH_QUICK";

/// Something measured.
#[derive(Debug)]
#[must_use = "nobody sees it before `report`"]
pub struct Row<'t> {
    work: &'t str,
    unit: &'t str,
    ours: f64,
    peer: Option<(&'t str, f64)>,
    bar: Option<Bar>,
}

/// What a row has to come to: its ratio where there is a peer, its own figure otherwise.
#[derive(Debug, Clone, Copy)]
enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl<'t> Row<'t> {
    /// A figure.
    pub fn new(work: &'t str, unit: &'t str, ours: f64) -> Self {
        Self { work, unit, ours, peer: None, bar: None }
    }

    /// The same of somebody else, taken in the same run.
    pub fn against(mut self, peer: &'t str, theirs: f64) -> Self {
        self.peer = Some((peer, theirs));
        self
    }

    /// Less is better.
    pub fn at_most(mut self, bar: f64) -> Self {
        self.bar = Some(Bar::AtMost(bar));
        self
    }

    /// More is better.
    pub fn at_least(mut self, bar: f64) -> Self {
        self.bar = Some(Bar::AtLeast(bar));
        self
    }

    /// Prints the row, and keeps it for the table where one is being made.
    #[expect(clippy::print_stdout, reason = "a benchmark reports on the terminal")]
    #[expect(clippy::disallowed_methods, reason = "how a run tells its benchmarks where to report")]
    pub fn report(&self) {
        println!("{self}");
        if let Some(path) = std::env::var_os(ROWS) {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            writeln!(file, "{}", self.json()).unwrap();
        }
    }

    fn json(&self) -> serde_json::Value {
        let Self { work, unit, ours, .. } = self;
        let peer = self.peer.map(|(name, value)| json!({"name": name, "value": value}));
        let bar = self.bar.map(|it| match it {
            Bar::AtMost(bar) => json!({"at_most": bar}),
            Bar::AtLeast(bar) => json!({"at_least": bar}),
        });
        json!({"work": work, "unit": unit, "ours": ours, "peer": peer, "bar": bar})
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, unit, ours, peer, bar } = self;
        write!(f, "{work}: {ours:.1} {unit}")?;
        let judged = peer.map_or(*ours, |(_, theirs)| ours / theirs);
        if let Some((name, theirs)) = peer {
            write!(f, " / {theirs:.1} {unit} ({name}) = {judged:.2}")?;
        }
        match bar {
            Some(Bar::AtMost(bar)) => {
                write!(f, ", at most {bar}: {}", met(judged <= *bar))
            }
            Some(Bar::AtLeast(bar)) => {
                write!(f, ", at least {bar}: {}", met(judged >= *bar))
            }
            None => Ok(()),
        }
    }
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// Whether a rough figure will do.
#[expect(clippy::disallowed_methods, reason = "how a run tells its benchmarks to hurry")]
pub fn is_quick() -> bool {
    std::env::var_os(QUICK).is_some()
}
