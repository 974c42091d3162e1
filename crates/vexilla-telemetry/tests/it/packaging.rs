//! The dashboard, the alerts and the page for operators name what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use vexilla_domain::{Reason, Source};
use vexilla_telemetry::{FlagCounts, Prometheus, StatsReader};
use yaml_rust2::{Yaml, YamlLoader};

use crate::{measure, stats};

fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of a client that used everything.
fn rendered() -> String {
    let flags = Arc::new(FlagCounts::new(1));
    flags.add(flags.slot("dark-mode"));
    let reader = StatsReader::new(|| {
        let mut stats = stats();
        let sources = [
            Source::Local,
            Source::Standby,
            Source::Remote,
            Source::RemoteCached,
            Source::Fallback,
        ];
        stats.evaluations = sources.map(|it| (it, Reason::Split, 1)).to_vec();
        stats
    });
    let prometheus = Prometheus::with_flags(reader, flags);
    measure(&prometheus);
    prometheus.render()
}

/// The names of all samples, each with its labels and their values.
fn samples() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut samples = BTreeMap::<String, BTreeSet<_>>::new();
    for line in rendered().lines().filter(|it| !it.starts_with('#') && !it.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        samples.entry(name.to_owned()).or_default().extend(selected(line));
    }
    assert!(samples.len() > 20, "{samples:?}");
    samples
}

/// The pairs between braces.
fn selected(text: &str) -> Vec<(String, String)> {
    let Some((inside, _)) = text.split_once('{').and_then(|it| it.1.split_once('}')) else {
        return Vec::new();
    };
    let pairs = inside.split(',').filter_map(|it| it.split_once('='));
    let bare = |it: &str| it.trim().trim_matches('"').to_owned();
    pairs.map(|(label, value)| (bare(label), bare(value))).collect()
}

/// Fails unless every name of ours, and every value that it is to have, is there. Gives the names.
#[track_caller]
fn check(query: &str, known: &BTreeMap<String, BTreeSet<(String, String)>>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in query.match_indices("vexilla_") {
        let (_, rest) = query.split_at(at);
        let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let pairs =
            known.get(name).unwrap_or_else(|| panic!("nothing is called {name}, in {query}"));
        let wanted = if rest.starts_with('{') { selected(rest) } else { Vec::new() };
        // `=~` leaves a tilde at the value: a pattern, over the labels that Prometheus adds.
        for pair in wanted.into_iter().filter(|it| !it.1.starts_with('~')) {
            assert!(pairs.contains(&pair), "{name} never has {pair:?}, in {query}");
        }
        names.insert(name.to_owned());
    }
    assert!(!names.is_empty(), "it asks for nothing of ours: {query}");
    names
}

/// The labels that a query groups by.
fn groups(query: &str) -> impl Iterator<Item = &str> {
    let lists = query.split(" by (").skip(1).filter_map(|it| it.split_once(')'));
    lists.flat_map(|it| it.0.split(", "))
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|it| expressions(it, found));
        }
        Value::Array(items) => items.iter().for_each(|it| expressions(it, found)),
        _ => {}
    }
}

/// A name without what a histogram adds to it.
fn family(name: &str) -> &str {
    let parts = ["_bucket", "_sum", "_count"];
    parts.iter().find_map(|it| name.strip_suffix(it)).unwrap_or(name)
}

#[test]
fn the_dashboard_asks_for_what_there_is_and_for_all_of_it() {
    let known = samples();
    let dashboard: Value = serde_json::from_str(&text("packaging/grafana/vexilla.json")).unwrap();
    let mut queries = Vec::new();
    expressions(&dashboard, &mut queries);
    let variables = dashboard.pointer("/templating/list").and_then(Value::as_array).unwrap();
    queries.extend(variables.iter().filter_map(|it| it["definition"].as_str()).map(str::to_owned));
    let mut asked = BTreeSet::new();
    for query in &queries {
        let names = check(query, &known);
        for group in groups(query).filter(|it| *it != "le") {
            let has = |name: &String| known[name].iter().any(|it| it.0 == group);
            assert!(names.iter().all(has), "nothing is told apart by {group}, in {query}");
        }
        asked.extend(names.iter().map(|it| family(it).to_owned()));
    }
    // What the log tells better, or another instrument as well.
    let left_out = [
        "vexilla_archive_duration_seconds",
        "vexilla_circuit_transitions_total",
        "vexilla_refresh_consecutive_failures",
        "vexilla_ruleset_document_bytes",
    ];
    let all: BTreeSet<_> = known.keys().map(|it| family(it).to_owned()).collect();
    let missing: Vec<_> = all.difference(&asked).collect();
    assert_eq!(missing, left_out);
}

#[test]
fn each_panel_has_an_id_and_a_place_of_its_own() {
    let dashboard: Value = serde_json::from_str(&text("packaging/grafana/vexilla.json")).unwrap();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64()), "{panel}");
        let place = &panel["gridPos"];
        assert!(places.insert((place["x"].as_u64(), place["y"].as_u64())), "{panel}");
        let described = panel["description"].as_str().is_some_and(|it| it.ends_with('.'));
        assert!(described || panel["type"] == "row", "{panel}");
    }
}

#[test]
fn the_alerts_ask_for_what_there_is_and_the_docs_explain_them() {
    let known = samples();
    let rules = YamlLoader::load_from_str(&text("packaging/prometheus/vexilla.rules.yaml"));
    let rules = rules.unwrap().remove(0);
    let page = text("docs/operating.md");
    let mut count = 0;
    for rule in rules["groups"][0]["rules"].as_vec().unwrap() {
        let name = rule["alert"].as_str().unwrap();
        check(rule["expr"].as_str().unwrap(), &known);
        assert!(matches!(rule["labels"]["severity"].as_str(), Some("critical" | "warning")));
        assert!(rule["annotations"]["summary"].as_str().is_some(), "{name}");
        assert!(rule["for"] == Yaml::BadValue || rule["for"].as_str().is_some(), "{name}");
        assert!(page.contains(&format!("`{name}`")), "the page for operators lacks {name}");
        count += 1;
    }
    assert_eq!(page.matches("| `Vexilla").count(), count, "an alert that is not there any more");
}

#[test]
fn the_docs_list_every_metric_and_no_other() {
    let known = samples();
    let families: BTreeSet<_> = known.keys().map(|it| family(it)).collect();
    let page = text("docs/operating.md");
    let listed: BTreeSet<_> = page
        .lines()
        .filter_map(|it| it.strip_prefix("| `")?.split_once('`'))
        .map(|it| it.0)
        .filter(|it| it.starts_with("vexilla_"))
        .collect();
    assert_eq!(listed, families);
}

#[test]
fn the_docs_name_the_unit_of_each_metric() {
    let page = text("docs/operating.md");
    for instrument in crate::metrics::EXPECTED {
        let (name, rest) = instrument.split_once(" [").unwrap();
        let (unit, _) = rest.split_once(']').unwrap();
        let name = name.replace('.', "_");
        let forms = ["", "_total", "_seconds", "_bytes"].map(|it| format!("| `{name}{it}` | "));
        let row = page.lines().find(|line| forms.iter().any(|it| line.starts_with(&**it)));
        let row = row.unwrap_or_else(|| panic!("the page for operators lacks {name}"));
        assert!(row.contains(&format!(" | `{unit}` | ")), "{unit} in {row}");
    }
}
