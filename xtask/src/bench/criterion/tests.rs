//! Which results of criterion are of this run.

use std::time::Duration;

use super::*;

#[test]
fn medians_of_this_run_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("constraints/2/new");
    fs::create_dir_all(&new).unwrap();
    fs::write(new.join("benchmark.json"), r#"{"full_id":"constraints/2","group_id":"x"}"#).unwrap();
    fs::write(
        new.join("estimates.json"),
        r#"{"mean":{"point_estimate":9.0},"median":{"point_estimate":7.5}}"#,
    )
    .unwrap();
    let written = fs::metadata(new.join("estimates.json")).unwrap().modified().unwrap();
    let found = rows(folder.path(), written).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].work.as_str(), found[0].ours), ("constraints/2", 7.5));
    let later = written + Duration::from_secs(1);
    assert_eq!(rows(folder.path(), later).unwrap(), []);
    assert_eq!(rows(&folder.path().join("none"), written).unwrap(), []);
}
