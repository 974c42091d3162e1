//! `vexilla check`: what it finds, and that it agrees with Flagr.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;
use serde_json::json;

use crate::running::{Sidecar, root, run};
use crate::serve::flag;

#[derive(Deserialize)]
struct Finding {
    file: Option<String>,
    level: String,
    flag: String,
    path: String,
    message: String,
}

/// One recorded constraint.
#[derive(Deserialize)]
struct Line {
    constraints: Vec<[String; 3]>,
    accepted: bool,
}

/// All recorded constraints as one file, one flag for each line; only refused ones may be found.
fn agrees(file: &str, count: usize) {
    let recorded = fs::read_to_string(root().join("conformance").join(file)).unwrap();
    let lines: Vec<Line> = recorded.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(lines.len(), count);
    let flags = lines.iter().enumerate().map(|(index, line)| {
        let [property, operator, value] = &line.constraints[0];
        let mut flag = flag(&format!("line-{}", index + 1));
        flag["Segments"][0]["Constraints"] =
            json!([{"Property": property, "Operator": operator, "Value": value}]);
        flag
    });
    let flags: Vec<_> = flags.collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    fs::write(&path, json!({ "Flags": flags }).to_string()).unwrap();

    let said = run(["check", "--format", "json", path.to_str().unwrap()]);
    assert_eq!((said.status, said.stderr.as_str()), (1, ""));
    let findings: Vec<Finding> = serde_json::from_str(&said.stdout).unwrap();
    let errors = findings.iter().filter(|it| it.level == "error");
    let ours: BTreeSet<_> = errors.map(|it| (it.flag.clone(), it.path.clone())).collect();
    let refused = lines.iter().enumerate().filter(|(_, line)| !line.accepted);
    let place = |index| (format!("line-{}", index + 1), "segments[0].constraints[0]".to_owned());
    let theirs: BTreeSet<_> = refused.map(|(index, _)| place(index)).collect();
    let differences: Vec<_> = ours.symmetric_difference(&theirs).take(20).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(!theirs.is_empty());
}

#[test]
fn recorded_random_constraints_are_refused_where_flagr_refuses_them() {
    agrees("conditions.jsonl", 4_000);
}

#[test]
fn recorded_directed_constraints_are_refused_where_flagr_refuses_them() {
    agrees("directed.jsonl", 716);
}

#[test]
fn the_example_is_fine() {
    let text = run(["check", "examples/shop.json"]).ok();
    assert_eq!(text, "examples/shop.json: 4 flags, 0 errors, 0 warnings\n");
    assert_eq!(run(["check", "examples/shop.json", "--format", "json"]).ok(), "[]\n");
}

/// Two files: one with an error and one with a warning.
#[test]
fn problems_are_told_by_flag_place_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut bad = flag("bad");
    bad["Segments"][0]["Distributions"][0]["Percent"] = json!(99);
    fs::write(path("bad.json"), json!([flag("good"), bad]).to_string()).unwrap();
    fs::write(path("odd.json"), json!([{"Key": "odd", "Variants": [{"Key": "on"}]}]).to_string())
        .unwrap();

    let said = run(["check", &path("bad.json")]);
    assert_eq!((said.status, said.stderr.as_str()), (1, ""));
    let place = path("bad.json");
    let expected = format!(
        "{place}: error: flag `bad`, segments[0].distributions: the percents sum to 99, not to 100\n\
         {place}: 2 flags, 1 error, 0 warnings\n"
    );
    assert_eq!(said.stdout, expected);

    let json = run(["check", "--format", "json", &path("bad.json")]).stdout;
    let expected = json!([{
        "level": "error", "flag": "bad", "path": "segments[0].distributions",
        "message": "the percents sum to 99, not to 100",
    }]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), expected);

    let said = run(["check", &path("odd.json")]);
    assert_eq!((said.status, said.stderr.as_str()), (0, ""), "warnings are no errors");
    assert!(said.stdout.contains("warning: flag `odd`, segments: there are no segments"));

    let said = run(["check", "--format", "json", &path("bad.json"), &path("odd.json")]);
    let findings: Vec<Finding> = serde_json::from_str(&said.stdout).unwrap();
    let told: Vec<_> = findings.iter().map(|it| (it.file.clone().unwrap(), &*it.message)).collect();
    assert_eq!(
        told,
        [
            (path("bad.json"), "the percents sum to 99, not to 100"),
            (path("odd.json"), "there are no segments"),
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_the_others() {
    let said = run(["check", "examples/no.json", "examples/shop.json"]);
    assert_eq!(said.status, 1);
    assert_eq!(said.error(), "error: examples/no.json: there is no such file");
    assert_eq!(said.stdout, "examples/shop.json: 4 flags, 0 errors, 0 warnings\n");
}

/// A sidecar answers like a Flagr, so it can stand for one.
#[test]
fn a_flagr_is_checked_too() {
    let sidecar = Sidecar::start(&["--flags", "examples/shop.json"]);
    let text = run(["check", "--flagr", &sidecar.url()]).ok();
    assert_eq!(text, format!("Flagr at {}: 4 flags, 0 errors, 0 warnings\n", sidecar.url()));
}
