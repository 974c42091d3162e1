//! Rules that a file's text shows.

use std::path::Path;

/// How many lines a source file aims to stay under.
pub(super) const AIM: usize = 200;

/// How many lines a source file may have without saying why.
const LIMIT: usize = 400;

const REASON: &str = "// tidy: long because ";

// The patterns are put together so that this file does not hold them.
const NOWHERE: &[(&str, &str)] = &[
    (concat!("#", "[allow("), "use `expect` with a reason"),
    (concat!("#!", "[allow("), "use `expect` with a reason"),
    (concat!("#", "[ignore"), "a test that is not run proves nothing"),
    (concat!("todo", "!("), "write it, or an issue"),
    (concat!("unimplemented", "!("), "write it, or an issue"),
];

const SLEEP: &str = concat!("sle", "ep(");

/// Folders of a particular machine.
const MACHINE: &[&str] = &[concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/")];

/// What is wrong with a file of the repository.
pub(super) fn of(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut report = |place: String, message: &str| findings.push(format!("{place}: {message}"));

    for (number, line) in (1_usize..).zip(text.lines()) {
        if let Some(folder) = MACHINE.iter().find(|it| holds(line, it, is_in_a_path)) {
            report(format!("{path}:{number}"), &format!("`{folder}` is a folder of one machine"));
        }
    }
    if !is_rust(path) {
        return findings;
    }

    if !text.starts_with("//!") {
        report(path.to_owned(), "starts with no `//!` that says what it is for");
    }
    let lines = text.lines().count();
    let says_why = text
        .lines()
        .any(|it| it.strip_prefix(REASON).is_some_and(|reason| !reason.trim().is_empty()));
    if lines > LIMIT && !says_why {
        report(
            path.to_owned(),
            &format!("has {lines} lines; split it, or say why not in a line `{REASON}…`"),
        );
    }
    for (number, line) in
        (1_usize..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
    {
        for (_, message) in NOWHERE.iter().filter(|it| holds(line, it.0, is_in_a_name)) {
            report(format!("{path}:{number}"), message);
        }
        if is_test(path) && holds(line, SLEEP, is_in_a_name) {
            report(
                format!("{path}:{number}"),
                "a test waits for an event, or sets the time; it does not sleep",
            );
        }
    }
    findings
}

/// Whether this is a source file of Rust.
pub(super) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "rs")
}

/// Whether a line holds the pattern where the character before it is none of those.
fn holds(line: &str, pattern: &str, before: fn(char) -> bool) -> bool {
    line.match_indices(pattern)
        .any(|(at, _)| !line.get(..at).is_some_and(|it| it.ends_with(before)))
}

fn is_in_a_name(it: char) -> bool {
    it.is_alphanumeric() || it == '_' || it == '.'
}

/// The slash goes on with a path that started before, as in `../up/root/` or `example.com/home/`.
fn is_in_a_path(it: char) -> bool {
    it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | '}' | ')' | '*')
}

fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.split('/').any(|it| it == "tests")
}
