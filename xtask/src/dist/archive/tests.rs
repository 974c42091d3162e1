//! An archive is read again.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;

use super::{checksums, pack};

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vexilla"), "a program").unwrap();
    fs::create_dir(folder.path().join("man")).unwrap();
    fs::write(folder.path().join("man/vexilla.1"), "a page").unwrap();
    folder
}

#[test]
fn all_files_are_in_it_and_one_can_be_run() {
    let folder = folder();
    let archive = pack(folder.path(), "vexilla-1-here", "vexilla").unwrap();
    assert_eq!(archive, folder.path().join("vexilla-1-here.tar.gz"));
    let mut found = Vec::new();
    let mut tar = tar::Archive::new(GzDecoder::new(fs::File::open(archive).unwrap()));
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let path = entry.path().unwrap().display().to_string();
        found.push(format!("{path} {:o} {content}", entry.header().mode().unwrap()));
    }
    assert_eq!(
        found,
        ["vexilla-1-here/man/vexilla.1 644 a page", "vexilla-1-here/vexilla 755 a program"]
    );
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let packed = || {
        let folder = folder();
        fs::read(pack(folder.path(), "same", "vexilla").unwrap()).unwrap()
    };
    assert_eq!(packed(), packed());
}

#[test]
fn checksums_are_those_of_sha256sum() {
    let folder = folder();
    let text = checksums(folder.path(), &[&folder.path().join("vexilla")]).unwrap();
    let sum = "d69ea8cda2433733c1ce02de65da8f48e6a3dbba6bb18876a2062908e54ef7cb";
    assert_eq!(text, format!("{sum}  vexilla\n"));
    assert_eq!(fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap(), text);
}
