//! `vexilla serve` with an archive that cannot be written to.

use std::fs;

use tempfile::TempDir;
use vexilla::{DiskArchive, DiskConfig};
use vexilla_domain::FlagArchive;

use crate::archived::shop;
use crate::running::{Sidecar, run};

const AWAY: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn flags_that_are_there_are_served() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    let archive = DiskArchive::open(folder.path(), DiskConfig::default()).unwrap();
    let mut flags = shop(3);
    flags.source = format!("Flagr at {AWAY}").into();
    archive.save(&flags).await.unwrap();
    drop(archive);
    // Nobody can take the folder, not even root.
    let lock = folder.path().join("lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();

    let mut sidecar = Sidecar::start(&["--flagr", AWAY, "--archive", path]);
    let origin = format!("loaded 4 flags from disk, generation 1, of Flagr at {AWAY}");
    assert_eq!(sidecar.loaded, origin);
    let told = sidecar.wait_for_log("its flags are read, and none are saved");
    assert!(told.contains(&format!("cannot use the folder `{path}`: ")), "{told}");
    sidecar.wait_for_log("exposures wait in memory, and are lost with the process");
    assert!(!folder.path().join("exposures").exists());
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
