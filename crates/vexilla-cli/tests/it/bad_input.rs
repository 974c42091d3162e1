//! What cannot work: one line that says where and why, and the right exit status.

use std::fs::{self, File};
use std::path::Path;

use crate::running::{run, said, vexilla};

/// Runs each command that reads a flags file.
#[track_caller]
fn check(path: &Path, reason: &str) {
    let path = path.to_str().unwrap();
    let expected = format!("error: {path}: {reason}");
    let commands: [&[&str]; 4] = [
        &["serve", "--listen", "127.0.0.1:0", "--flags", path],
        &["eval", "--flags", path, "a-flag"],
        &["explain", "--flags", path, "a-flag", "--format", "json"],
        &["check", path],
    ];
    for command in commands {
        let said = run(command);
        assert_eq!((said.status, said.stdout.as_str()), (1, ""), "{command:?}");
        assert_eq!(said.error(), expected, "{command:?}");
    }
}

#[track_caller]
fn check_content(content: &str, reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    fs::write(&path, content).unwrap();
    check(&path, reason);
}

#[test]
fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    check(&folder.path().join("flags.json"), "there is no such file");
}

#[test]
fn a_folder() {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), "is a folder");
}

#[test]
fn an_empty_file() {
    check_content("", "the document is empty");
    check_content(" \n", "the document is empty");
}

#[test]
fn a_file_that_is_not_json() {
    check_content("flags: []\n", "line 1, column 2: expected ident");
    check_content("{\n  Flags: []\n}", "line 2, column 3: key must be a string");
}

#[test]
fn a_file_that_is_not_flags() {
    check_content("{\"flagz\":[]}", "not a document of flags: it has no member `Flags`");
    let neither = "not a document of flags: neither `{\"Flags\": […]}` nor an array of flags";
    check_content("true", neither);
}

#[test]
fn a_file_that_is_cut_in_the_middle() {
    let whole = fs::read_to_string(crate::running::root().join("examples/shop.json")).unwrap();
    let cut = &whole[..whole.len() / 2];
    let (line, column) = (cut.lines().count(), cut.lines().last().unwrap().len());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    fs::write(&path, cut).unwrap();
    let said = run(["check", path.to_str().unwrap()]);
    assert_eq!(said.status, 1);
    let expected = format!("error: {}: line {line}, column {column}: EOF", path.display());
    assert!(said.error().starts_with(&expected), "{}\n{expected}", said.stderr);
    check(
        &path,
        said.error().split_once(": line").map(|it| format!("line{}", it.1)).as_deref().unwrap(),
    );
}

#[test]
fn a_file_that_is_too_long() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    File::create(&path).unwrap().set_len(200 << 20).unwrap();
    check(&path, "is longer than 64 MiB, the most that is read");
}

#[test]
fn a_flagr_that_is_not_there() {
    let url = "http://127.0.0.1:1"; // a port that nobody listens on
    let commands: [&[&str]; 4] = [
        &["serve", "--listen", "127.0.0.1:0", "--flagr", url],
        &["eval", "--flagr", url, "a-flag"],
        &["check", "--flagr", url],
        &["export", "--flagr", url],
    ];
    for command in commands {
        let said = run(command);
        assert_eq!((said.status, said.stdout.as_str()), (1, ""), "{command:?}");
        let expected =
            format!("error: Flagr at {url}: GET /api/v1/flags/snapshots/max_id: cannot connect");
        assert!(said.error().starts_with(&expected), "{}", said.stderr);
    }
}

#[test]
fn an_address_that_is_none_is_not_repeated_with_its_secrets() {
    let said = run(["eval", "--flagr", "http://me:secret@flagr:18000", "a-flag"]);
    assert_eq!(said.status, 2);
    assert!(said.error().contains("holds credentials"), "{}", said.stderr);
    assert!(!said.stderr.contains("secret"), "{}", said.stderr);
}

#[test]
fn an_address_that_is_none_is_wrong_usage() {
    for url in ["notaurl", "127.0.0.1:18551", "ftp://flagr", "http://", ""] {
        let commands: [&[&str]; 6] = [
            &["serve", "--listen", "127.0.0.1:0", "--flagr", url],
            &["eval", "--flagr", url, "a-flag"],
            &["explain", "--flagr", url, "a-flag"],
            &["check", "--flagr", url],
            &["export", "--flagr", url],
            &["health", "--url", url],
        ];
        for command in commands {
            let said = run(command);
            let shown = (said.status, said.stdout.as_str());
            assert_eq!(shown, (2, ""), "{command:?}: {}", said.stderr);
            assert!(!said.error().is_empty());
        }
    }
}

#[test]
fn wrong_usage_is_2() {
    let shop = "examples/shop.json";
    let commands: [&[&str]; 17] = [
        &[],
        &["server"],
        &["serve"],
        &["serve", "--flags", shop, "--flagr", "http://localhost:18000"],
        &["serve", "--flags", shop, "--listen", "everywhere"],
        &["serve", "--flags", shop, "--admin-listen", "everywhere"],
        &["serve", "--flags", shop, "--webhook-listen", "18001"],
        &["serve", "--flags", shop, "--pass-through"],
        &["serve", "--flags", shop, "--web-prefix", "flags"],
        &["serve", "--flags", shop, "--refresh-interval", "0s"],
        &["serve", "--flags", shop, "--log", "loud"],
        &["eval", "--flags", shop],
        &["eval", "--flags", shop, "a-flag", "--context", "{country: US}"],
        &["eval", "--flags", shop, "a-flag", "--set", "country"],
        &["eval", "--flags", shop, "a-flag", "--context", "[]", "--set", "country=US"],
        &["check", shop, "--flagr", "http://localhost:18000"],
        &["export"],
    ];
    for command in commands {
        let said = run(command);
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{command:?}: {}", said.stderr);
        assert!(!said.stderr.is_empty());
    }
}

#[test]
fn a_log_filter_that_is_none_is_an_error() {
    let mut command = vexilla(["check", "examples/shop.json"]);
    let said = said(command.env("VEXILLA_LOG", "vexilla=loud"));
    assert_eq!(said.status, 1);
    assert!(
        said.error().starts_with("error: environment variable VEXILLA_LOG: "),
        "{}",
        said.stderr
    );
}

#[cfg(target_os = "linux")]
mod outputs {
    use std::fs::OpenOptions;
    use std::process::Stdio;

    use super::vexilla;

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        for command in [&["check", "examples/shop.json"][..], &["--help"]] {
            let mut child =
                vexilla(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(child.stdout.take());
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            assert_eq!(output.status.code(), Some(0));
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = vexilla(["check", "examples/shop.json"]).stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with("error: standard output: cannot be written: "), "{stderr}");
        assert_eq!(output.status.code(), Some(1));
    }
}
