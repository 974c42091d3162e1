//! Where settings come from, what is wrong with them, and what is printed of them.

mod precedence;
mod secrets;
mod whole;
mod wrong;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::flags::text;
use super::table::Setting;
use super::{Loaded, Origin, Outside, Variables, Wrong, parts, reference};

/// What a file, variables and flags (as paths with values) give.
fn load(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Loaded, Wrong> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vexilla.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, it)| ((*name).to_owned(), OsString::from(it)));
    let settings: Vec<_> = parts().into_iter().flat_map(|it| it.settings).collect();
    let flag = |path: &str| settings.iter().find(|it| it.path == path).unwrap().flag().unwrap();
    let flags = flags.iter().map(|(path, it)| ((*path).to_owned(), text(&flag(path), it)));
    let outside = Outside {
        file: Some((path, Origin::Flag("config".to_owned()))),
        variables: Variables(variables.collect()),
        flags: flags.collect::<BTreeMap<_, _>>(),
    };
    outside.load().map_err(|mut wrong| {
        if let Origin::File { path, .. } = &mut wrong.origin {
            *path = PathBuf::from("vexilla.toml");
        }
        wrong
    })
}

/// A setting as it is printed, and its origin.
fn printed(loaded: &Loaded, path: &str) -> String {
    let it = loaded.effective.iter().find(|it| it.path == path).unwrap();
    format!("{:?} {}", it.shown, it.origin)
}

#[test]
fn nothing_given_gives_the_defaults() {
    let loaded = load("", &[], &[]).unwrap();
    assert!(loaded.effective.iter().all(|it| it.origin == Origin::Default));
    let defaults: Vec<_> = parts().into_iter().flat_map(|it| it.settings).collect();
    assert_eq!(loaded.effective.len(), defaults.len());
    for (effective, setting) in loaded.effective.iter().zip(&defaults) {
        assert_eq!((&effective.path, &effective.shown), (&setting.path, &setting.default));
    }
}

#[test]
fn no_two_settings_have_the_same_name() {
    let settings: Vec<_> = parts().into_iter().flat_map(|it| it.settings).collect();
    let mut names: Vec<_> = settings.iter().map(Setting::variable).collect();
    names.extend(settings.iter().filter_map(|it| it.more.alias.map(str::to_owned)));
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_example_is_current_and_sets_nothing() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vexilla.example.toml");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == reference::example(),
        "write it with `cargo run -- config-reference --example`"
    );
    let loaded = load(&committed, &[], &[]).unwrap();
    assert!(loaded.effective.iter().all(|it| it.origin == Origin::Default));
}

#[test]
fn what_the_example_shows_is_the_default() {
    // With the comments taken off, each default is read from the file and is the same as without.
    let example = reference::example();
    let is_value = |line: &str| {
        line.strip_prefix("# ").is_some_and(|it| {
            it.split_once(" = ").is_some_and(|(key, value)| {
                key.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
                    && !value.starts_with('#')
            })
        })
    };
    let lines: Vec<_> = example
        .lines()
        .map(|it| if is_value(it) { it.trim_start_matches("# ") } else { it })
        .collect();
    let loaded = load(&lines.join("\n"), &[], &[]).unwrap();
    let defaults = load("", &[], &[]).unwrap();
    let mut set = 0;
    for (from_file, default) in loaded.effective.iter().zip(&defaults.effective) {
        assert_eq!(from_file.shown, default.shown, "{}", default.path);
        set += usize::from(matches!(from_file.origin, Origin::File { .. }));
    }
    let with_default = parts().into_iter().flat_map(|it| it.settings);
    let with_default = with_default.filter(|it| matches!(it.default, super::kind::Shown::Toml(_)));
    assert_eq!(set, with_default.count());
}

#[test]
fn the_reference_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == reference::markdown(), "write it with `cargo run -- config-reference`");
}
