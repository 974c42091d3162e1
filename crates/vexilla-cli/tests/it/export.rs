//! `vexilla export`. A sidecar answers like a Flagr, so it stands for one.

use std::fs;

use crate::http::request;
use crate::running::{Sidecar, run};

#[test]
fn the_export_is_what_flagr_would_give_and_what_a_flags_file_may_be() {
    let sidecar = Sidecar::start(&["--flags", "examples/shop.json"]);
    let served = request(&sidecar.address, "GET", "/api/v1/export/eval_cache/json", "").body;
    assert_eq!(run(["export", "--flagr", &sidecar.url()]).ok(), served);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    fs::write(&path, "old").unwrap();
    let file = path.to_str().unwrap();
    assert_eq!(run(["export", "--flagr", &sidecar.url(), "-o", file]).ok(), "");
    assert_eq!(fs::read_to_string(&path).unwrap(), served);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(run(["check", "--format", "json", file]).ok(), "[]\n");
}

#[test]
fn a_failed_export_leaves_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    fs::write(&path, "old").unwrap();
    let said = run(["export", "--flagr", "http://127.0.0.1:1", "-o", path.to_str().unwrap()]);
    assert_eq!(said.status, 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn only_files_are_replaced() {
    let sidecar = Sidecar::start(&["--flags", "examples/shop.json"]);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let said = run(["export", "--flagr", &sidecar.url(), "-o", place]);
    assert_eq!(said.status, 1);
    let expected = format!("error: {place}: is there and is no file, so it is not replaced by one");
    assert_eq!(said.error(), expected);

    let place = folder.path().join("no-such-folder/flags.json");
    let said = run(["export", "--flagr", &sidecar.url(), "-o", place.to_str().unwrap()]);
    assert_eq!(said.status, 1);
    let expected = format!("error: {}: cannot be written: ", place.display());
    assert!(said.error().starts_with(&expected), "{}", said.stderr);
}

#[cfg(unix)]
#[test]
fn others_may_read_the_file_and_a_link_stays_a_link() {
    use std::os::unix::fs::PermissionsExt;

    let sidecar = Sidecar::start(&["--flags", "examples/shop.json"]);
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("flags.json"), folder.path().join("link"));
    fs::write(&file, "old").unwrap();
    let as_usual = fs::metadata(&file).unwrap().permissions().mode();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    run(["export", "--flagr", &sidecar.url(), "-o", link.to_str().unwrap()]).ok();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&file).unwrap().starts_with("{\"Flags\":["));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode(), as_usual);
}
