//! Which files there are.

use std::collections::BTreeSet;
use std::fs;

use super::LEFT;
use crate::command::ROOT;

#[test]
fn each_recording_is_accounted_for() {
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(format!("{ROOT}/conformance/{folder}")).unwrap();
        let name = |it: fs::DirEntry| format!("{folder}{}", it.file_name().to_str().unwrap());
        entries.map(|it| name(it.unwrap())).filter(|it| it.contains(".json")).collect()
    };
    let present: BTreeSet<_> = names("").into_iter().chain(names("recordings/")).collect();
    let told: BTreeSet<_> = LEFT.iter().map(|it| it.0.to_owned()).collect();
    assert_eq!(present, told);
}
