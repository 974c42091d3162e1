//! `vexilla serve` with an archive that cannot be written to.

use std::fs;

use tempfile::TempDir;
use vexilla::{DiskArchive, DiskConfig};
use vexilla_domain::FlagArchive;

use crate::archived::shop;
#[cfg(unix)]
use crate::running::root;
use crate::running::{Sidecar, run};

const AWAY: &str = "http://127.0.0.1:1";
const IN_MEMORY: &str = "exposures wait in memory, and are lost with the process";

/// A folder with flags that nobody can take, not even root.
async fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let archive = DiskArchive::open(folder.path(), DiskConfig::default()).unwrap();
    let mut flags = shop(3);
    flags.source = format!("Flagr at {AWAY}").into();
    archive.save(&flags).await.unwrap();
    drop(archive);
    let lock = folder.path().join("lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_that_are_there_are_served() {
    let folder = folder().await;
    let path = folder.path().to_str().unwrap();
    let mut sidecar = Sidecar::start(&["--flagr", AWAY, "--archive", path]);
    let origin = format!("loaded 4 flags from disk, generation 1, of Flagr at {AWAY}");
    assert_eq!(sidecar.loaded, origin);
    let told = sidecar.wait_for_log("its flags are read, and none are saved");
    assert!(told.contains(&format!("cannot use the folder `{path}`: ")), "{told}");
    sidecar.wait_for_log(IN_MEMORY);
    assert!(!folder.path().join("exposures").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn memory_for_exposures_is_not_told_of_where_it_is_meant_or_nothing_takes_them() {
    let folder = folder().await;
    let path = folder.path().to_str().unwrap();
    let shop = root().join("examples/shop.json");
    for source in
        [&["--flagr", AWAY, "--exposures-spool", "off"][..], &["--flags", shop.to_str().unwrap()]]
    {
        let mut sidecar = Sidecar::start(&[source, &["--archive", path]].concat());
        sidecar.wait_for_log("its flags are read, and none are saved");
        sidecar.signal("TERM");
        let (_, _, log) = sidecar.end();
        assert!(!log.contains(IN_MEMORY), "{log}");
    }
}

#[test]
fn without_flags_it_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("below");
    let said = run(["serve", "--flagr", AWAY, "--archive", below.to_str().unwrap()]);
    let beginning = format!("error: cannot use the folder `{}`: ", below.display());
    assert_eq!(said.status, 1, "{}", said.stderr);
    assert!(said.error().starts_with(&beginning), "{}", said.stderr);
}
