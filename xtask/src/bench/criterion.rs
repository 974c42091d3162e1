//! What criterion left in `target/criterion`: a time for each of its benchmarks.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::table::Row;

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// The medians of what ran since then, by name.
pub(super) fn rows(folder: &Path, since: SystemTime) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    collect(folder, &mut found)?;
    let mut rows = Vec::new();
    for folder in found {
        let estimates = folder.join("estimates.json");
        if fs::metadata(&estimates)?.modified()? < since {
            continue;
        }
        let benchmark: Benchmark = read(&folder.join("benchmark.json"))?;
        let estimates: Estimates = read(&estimates)?;
        rows.push(Row {
            work: benchmark.full_id,
            unit: "ns".to_owned(),
            ours: estimates.median.point_estimate,
            peer: None,
            ratio: None,
            bar: None,
        });
    }
    rows.sort_by(|a, b| a.work.cmp(&b.work));
    Ok(rows)
}

/// The folders named `new` that hold estimates.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.ends_with("new") && path.join("estimates.json").is_file() {
            found.push(path);
        } else if path.is_dir() {
            collect(&path, found)?;
        }
    }
    Ok(())
}

fn read<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<T> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests;
