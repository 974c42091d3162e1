//! Which files are targets.

use std::fs;

use tempfile::TempDir;

use super::targets;

#[test]
fn targets_are_rust_files_by_name() {
    let folder = TempDir::new().unwrap();
    for name in ["webhook.rs", "condition.rs", "notes.md"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    assert_eq!(targets(folder.path()).unwrap(), ["condition", "webhook"]);
    assert!(targets(&folder.path().join("nowhere")).unwrap().is_empty());
}
