//! What Valgrind printed, and what is made of it.

use super::*;

#[test]
fn an_evaluation_is_the_thousandth_part_of_what_a_thousand_more_take() {
    let printed = "\
instructions::evaluations::evaluate plain_once:(flags :: PLAIN, 1)
  Instructions:                        1234|N/A             (*********)
  L1 Hits:                             9999|N/A             (*********)
instructions::evaluations::evaluate plain_1001_times:(flags :: PLAIN, 1_001)
  Instructions:                      91,234|90000           (+1.37111%)
instructions::evaluations::evaluate split_once:(flags :: SPLIT, 1)
  Instructions:                        1300|N/A             (*********)
";
    let lines: Vec<String> = printed.lines().map(str::to_owned).collect();
    let rows = pairs(&counts(&lines));
    assert_eq!(rows.len(), 1, "a pair that is not whole is no row: {rows:?}");
    assert_eq!(rows[0].work, "instructions of Ruleset::evaluate, plain");
    assert!((rows[0].ours - 90.0).abs() < 1e-9, "{rows:?}");
}

#[test]
fn the_runner_is_of_the_version_that_is_built() {
    let lock = "[[package]]\nname = \"gungraun\"\nversion = \"0.20.0\"\nsource = \"x\"\n";
    assert_eq!(locked(lock).as_deref(), Some("0.20.0"));
    assert_eq!(locked("[[package]]\nname = \"other\"\nversion = \"1\"\n"), None);
    version().unwrap();
}
