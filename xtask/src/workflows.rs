//! What stands in `.github`, read as GitHub reads it.

use std::fs;
use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use crate::cli;
use crate::command::ROOT;

/// The permissions that a job may have beyond reading, with the job that needs them.
const PERMITTED: &[(&str, &str)] = &[("release", "contents"), ("image", "packages")];

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(ROOT).join(".github").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|it| it.extension().is_some_and(|it| it == "yml")).collect();
    paths.sort_unstable();
    assert!(!paths.is_empty());
    paths
}

fn read(path: &Path) -> (String, Yaml) {
    let text = fs::read_to_string(path).unwrap();
    let documents = YamlLoader::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1, "{}", path.display());
    (text, documents[0].clone())
}

/// The steps of all jobs of a workflow.
fn steps(workflow: &Yaml) -> Vec<&Yaml> {
    let jobs = workflow["jobs"].as_hash().expect("jobs").values();
    jobs.flat_map(|job| job["steps"].as_vec().expect("steps")).collect()
}

/// What stands for a variable, whose value only GitHub knows.
const VALUE: &str = "1";

/// The words after each `cargo xtask` of a script, up to the end of the command.
fn commands(script: &str) -> impl Iterator<Item = Vec<&str>> {
    script.split("cargo xtask ").skip(1).map(|rest| {
        let command = rest.split(['\n', '&', '|', ';', '#']).next().unwrap_or_default();
        let words = command.split_whitespace().map(|it| it.trim_matches('"'));
        words.map(|it| if it.starts_with('$') { VALUE } else { it }).collect()
    })
}

/// Whether it would be taken; nothing is run.
fn parse(words: &[&str]) -> Result<(), clap::Error> {
    cli().try_get_matches_from([&["cargo xtask"], words].concat()).map(drop)
}

#[test]
fn each_command_exists() {
    let mut called = 0;
    for path in files("workflows") {
        let (_, workflow) = read(&path);
        for script in steps(&workflow).iter().filter_map(|it| it["run"].as_str()) {
            for words in commands(script) {
                if let Err(error) = parse(&words) {
                    panic!("{}: {words:?}: {error}", path.display());
                }
                called += 1;
            }
        }
    }
    assert!(called > 4, "only {called} calls were found");
}

#[test]
fn a_wrong_command_is_seen() {
    for wrong in ["such", "integ --tga 1", "integ --tag", "fuzz --seconds soon", "ci more"] {
        let words: Vec<_> = wrong.split(' ').collect();
        assert!(parse(&words).is_err(), "{wrong}");
    }
}

#[test]
fn commands_of_a_script() {
    let found: Vec<_> =
        commands("cargo xtask ci && cargo xtask integ --tag \"$FLAGR\"\ncargo test").collect();
    assert_eq!(found, [vec!["ci"], vec!["integ", "--tag", VALUE]]);
}

#[test]
fn each_action_is_pinned() {
    for path in files("workflows") {
        let (text, workflow) = read(&path);
        for action in steps(&workflow).iter().filter_map(|it| it["uses"].as_str()) {
            let commit = action.split_once('@').expect("a commit").1;
            let is_commit = commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit());
            assert!(is_commit, "{}: {action}", path.display());
            let says_version = |it: &str| {
                it.trim_start_matches([' ', '-']).starts_with("uses: ")
                    && it.contains(&format!("{action} # v"))
            };
            assert!(
                text.lines().any(says_version),
                "{}: which version is {action}?",
                path.display()
            );
        }
    }
}

#[test]
fn nobody_may_more_than_needed() {
    for path in files("workflows") {
        let (_, workflow) = read(&path);
        let all = workflow["permissions"].as_hash().expect("permissions");
        let all: Vec<_> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(all, [(Some("contents"), Some("read"))], "{}", path.display());
        for (job, body) in workflow["jobs"].as_hash().unwrap() {
            let job = job.as_str().unwrap();
            assert!(body["timeout-minutes"].as_i64().is_some(), "{job} may run for ever");
            for (name, value) in body["permissions"].as_hash().into_iter().flatten() {
                let permitted = value.as_str() == Some("read")
                    || PERMITTED.contains(&(job, name.as_str().unwrap()));
                assert!(permitted, "{}: {job} wants {name:?}", path.display());
            }
        }
        for step in steps(&workflow) {
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "give it by `env`, which no shell reads: {script}");
            let is_checkout = step["uses"].as_str().is_some_and(|it| it.contains("/checkout@"));
            let keeps = step["with"]["persist-credentials"].as_bool();
            assert!(!is_checkout || keeps == Some(false), "{}: keeps the token", path.display());
        }
    }
}

#[test]
fn the_minimum_rust_is_the_one_that_we_promise() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let promised = manifest.lines().find_map(|it| it.strip_prefix("rust-version = ")).unwrap();
    let promised = promised.trim_matches('"');
    let (text, _) = read(&Path::new(ROOT).join(".github/workflows/ci.yml"));
    assert!(text.contains(&format!("rustup default {promised}\n")), "not {promised}");
}

#[test]
fn forms_and_updates_are_complete() {
    for path in files("ISSUE_TEMPLATE") {
        let (_, form) = read(&path);
        if path.ends_with("config.yml") {
            continue;
        }
        assert!(form["name"].as_str().is_some() && form["description"].as_str().is_some());
        let fields = form["body"].as_vec().expect("fields");
        assert!(fields.iter().all(|it| it["attributes"]["label"].as_str().is_some()));
    }
    let (_, updates) = read(&Path::new(ROOT).join(".github/dependabot.yml"));
    let updates = updates["updates"].as_vec().expect("updates");
    let kinds: Vec<_> = updates.iter().map(|it| it["package-ecosystem"].as_str()).collect();
    assert_eq!(kinds, [Some("cargo"), Some("github-actions")]);
}
