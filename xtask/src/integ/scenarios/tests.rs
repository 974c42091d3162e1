//! The table of scenarios.

use std::collections::BTreeSet;

use super::SCENARIOS;

#[test]
fn names_are_unique_and_fit_into_a_flag_key() {
    let names: BTreeSet<&str> = SCENARIOS.iter().map(|it| it.name).collect();
    assert_eq!(names.len(), SCENARIOS.len());
    // Flagr takes keys of 63 bytes: `vexilla-integ-4194304-0-NAME-later`.
    assert!(names.iter().all(|it| it.len() <= 22), "{names:?}");
}
