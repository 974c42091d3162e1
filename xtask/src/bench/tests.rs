//! Which benchmarks there are.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_benchmark_is_in_the_table() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("benches/Cargo.toml")).unwrap();
    let declared: BTreeSet<&str> = manifest
        .split("[[bench]]\nname = \"")
        .skip(1)
        .filter_map(|it| it.split('"').next())
        .collect();
    let run: BTreeSet<&str> = BENCHES.into_iter().chain([instructions::BENCH]).collect();
    assert_eq!(run, declared);
}
