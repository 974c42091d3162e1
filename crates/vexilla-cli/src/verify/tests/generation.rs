//! What is generated, and that it reaches everything.

use std::collections::{BTreeMap, BTreeSet};

use vexilla_domain::json::read_value;
use vexilla_domain::{Context, FlagId, Object, Strictness, Value, Verdict};
use vexilla_eval::Ruleset;

use super::super::buckets;
use super::super::cases::Cases;
use super::super::compare::json;
use super::super::literals::Literals;
use super::super::place::Place;
use super::super::samples::sample;
use super::flags;

#[test]
fn every_segment_and_constraint_comes_out_each_way() {
    let flags = flags();
    let rules = Ruleset::compile(&flags, Vec::new(), Strictness::AsStored, None).ruleset;
    for flag in &flags {
        let mut cases = Cases::new(flag, 1);
        let mut verdicts = BTreeSet::new();
        let mut outcomes = BTreeMap::<String, BTreeSet<&str>>::new();
        for _ in 0..800 {
            let explanation = rules.explain(&flag.key, &cases.make()).unwrap();
            let first = &explanation.segments[0];
            verdicts.insert(match first.verdict {
                Verdict::Matched => "matched",
                Verdict::NotMatched => "not matched",
                Verdict::Failed(_) => "failed",
                Verdict::NoContext => "no context",
            });
            for it in &first.constraints {
                let outcome = match it.outcome {
                    Ok(true) => "holds",
                    Ok(false) => "does not hold",
                    Err(_) => "fails",
                };
                outcomes.entry(it.text.clone()).or_default().insert(outcome);
            }
        }
        let is_plain = flag.segments[0].constraints.is_empty();
        assert_eq!(verdicts.len(), if is_plain { 1 } else { 4 }, "{}: {verdicts:?}", flag.key);
        assert!(outcomes.values().all(|it| it.len() == 3), "{}: {outcomes:?}", flag.key);
    }
}

#[test]
fn every_bucket_is_met() {
    let flags = flags();
    let mut cases = Cases::new(flags.last().unwrap(), 1);
    let salt = flags.last().unwrap().id.to_string();
    let bucket =
        |ctx: &Context| crc32fast::hash(format!("{salt}{}", ctx.entity_id()).as_bytes()) % 1000;
    let met: BTreeSet<u32> = (0..4_000).map(|_| bucket(&cases.make())).collect();
    assert!(met.len() >= 999, "{} buckets", met.len());
    let entities = buckets::Entities::find(FlagId(7), &mut fastrand::Rng::with_seed(1));
    for bucket in 0..1000 {
        let id = entities.of(bucket);
        assert_eq!(crc32fast::hash(format!("7{id}").as_bytes()) % 1000, bucket, "{id}");
    }
}

#[test]
fn edges_lie_around_ranges_and_rollouts() {
    let flags = flags();
    let halves = &flags[1];
    let edges = buckets::edges(halves);
    for edge in [0, 248, 249, 250, 499, 500, 501, 748, 749, 750, 999] {
        assert!(edges.contains(&edge), "{edge} in {edges:?}");
    }
}

#[test]
fn a_seed_gives_the_same_cases() {
    let flags = flags();
    let cases = |seed| {
        let mut cases = Cases::new(&flags[0], seed);
        (0..200).map(|_| cases.make()).collect::<Vec<_>>()
    };
    assert_eq!(cases(1), cases(1));
    assert_ne!(cases(1), cases(2));
}

#[test]
fn a_property_finds_its_place() {
    let check = |property: &str, want: &str| {
        let mut object = Object::new();
        Place::of(property).put(&mut object, &Value::from(1));
        assert_eq!(json(&Value::Object(object)), want, "{property}");
    };
    check("a", r#"{"a":1}"#);
    check(" a - b ", r#"{"a-b":1}"#);
    check("a.b", r#"{"a":{"b":1}}"#);
    check("a}{b", r#"{"a.b":1}"#);
    check("a[1]", r#"{"a":[1,1]}"#);
    check("a[-2]", r#"{"a":[1,1]}"#);
    check("a[ 0 ].b", r#"{"a":[{"b":1}]}"#);
    check("a.b[0][1].c", r#"{"a":{"b":[[{"c":1},{"c":1}]]}}"#);
    check("1.5", r#"{"1.5":1}"#);
    check("@a.b", r#"{"@a":{"b":1}}"#);
    check("a[9999999999]", &format!(r#"{{"a":[{}]}}"#, vec!["1"; 32].join(",")));
    check("a[b]", r#"{"a[b]":1}"#);
    check("a[", r#"{"a[":1}"#);
    check("", r#"{"":1}"#);
}

#[test]
fn a_value_says_what_it_speaks_of() {
    let check = |value: &str, want: &str, properties: &[&str]| {
        let found = Literals::find(value);
        let raw = serde_json::from_str(want).unwrap();
        let want = read_value(raw, vexilla_domain::json::Numbers::AsWritten).unwrap();
        assert_eq!(Value::Array(found.values), want, "{value}");
        assert_eq!(found.properties.iter().map(|it| &**it).collect::<Vec<_>>(), properties);
    };
    check("5", "[5]", &[]);
    check(r#""US""#, r#"["US"]"#, &[]);
    check(r#"["a","b"]"#, r#"["a","b"]"#, &[]);
    check("TRUE", "[true]", &[]);
    check("1_000", "[1000]", &[]);
    check(r#"1 OR {b.c} == "x" AND {d} == -2"#, r#"[1,"x",-2]"#, &["b.c", "d"]);
    check(r#""a\d"#, r#"["a\\d"]"#, &[]);
    check("\"", r#"[""]"#, &[]);
    check("{", "[]", &[]);
    check("é \" \\", r#"[" \\"]"#, &[]);
}

#[test]
fn samples_match_their_pattern() {
    let mut rng = fastrand::Rng::with_seed(1);
    for pattern in
        ["^a+b?$", r"\d{3}-[x-z]", "(foo|bar)baz", "^$", ".", "(?i)us", r"^[a-z]+@corp\.example$"]
    {
        let regex = matcher(pattern);
        for _ in 0..20 {
            let text = sample(pattern, &mut rng);
            assert!(regex(&text), "{text:?} for {pattern}");
        }
    }
    assert_eq!(sample(r"\Qa.b\E(", &mut rng), "QabE", "what Rust does not read gives its letters");
}

/// Whether a text matches, asked of the evaluator.
fn matcher(pattern: &str) -> impl Fn(&str) -> bool {
    let value = serde_json::to_string(&format!("(\"{}\")", pattern.replace('\\', "\\\\"))).unwrap();
    let document = format!(
        r#"[{{"id":1,"key":"f","enabled":true,"segments":[{{"rolloutPercent":100,"constraints":[{{"property":"t","operator":"EREG","value":{value}}}]}}]}}]"#
    );
    let flags = vexilla_domain::json::read_flags(document.as_bytes()).unwrap().flags;
    let rules = Ruleset::compile(&flags, Vec::new(), Strictness::AsStored, None).ruleset;
    move |text| {
        let explanation = rules.explain("f", &Context::new("e").with("t", text)).unwrap();
        explanation.segments[0].verdict == Verdict::Matched
    }
}
