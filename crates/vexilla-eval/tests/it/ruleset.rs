//! Look-up in Flagr's order, selection by tag, and what a new set of rules takes over from the one before.

use vexilla_domain::json::read_flags;
use vexilla_domain::{Flag, FlagRef, Level, Strictness, TagsOperator};
use vexilla_eval::{Compilation, Context, Reason, Ruleset, check};

fn flags(rows: &[&str]) -> Vec<Flag> {
    read_flags(format!("[{}]", rows.join(",")).as_bytes()).unwrap().flags
}

fn rules(rows: &[&str]) -> Ruleset {
    Ruleset::compile(&flags(rows), Vec::new(), Strictness::AsStored, None).ruleset
}

/// Which flag a request finds, by its id; 0 for none.
fn found(rules: &Ruleset, id: u64, key: &str) -> u64 {
    rules.resolve(FlagRef { id, key }).map_or(0, |flag| flag.head().id.0)
}

#[test]
fn ids_go_before_keys_and_a_missing_id_is_looked_up_too() {
    let rules_of = rules(&[
        r#"{"id":1,"key":"checkout"}"#,
        r#"{"id":2,"key":"77"}"#,
        r#"{"id":3,"key":"1"}"#,
        r#"{"id":4,"key":"nosegs"}"#,
        r#"{"id":5,"key":"03"}"#,
    ]);
    let cases = [
        (3, "checkout", 3), // the id goes first, the key is ignored
        (88, "nosegs", 4),  // no such id: the key
        (77, "", 2),        // no such id, but a key with its text
        (77, "checkout", 2),
        (0, "3", 3),  // a key that is an id
        (0, "1", 1),  // an id goes before a key
        (0, "03", 5), // not an id's text
        (0, "checkout", 1),
        (0, "nope", 0),
        (99, "nope", 0),
        (0, "", 0),
        (0, "18446744073709551616", 0),
    ];
    for (id, key, flag) in cases {
        assert_eq!(found(&rules_of, id, key), flag, "{id} {key}");
    }

    let captured = rules(&[r#"{"id":1,"key":"checkout"}"#, r#"{"id":2,"key":"0"}"#]);
    assert_eq!(found(&captured, 0, "checkout"), 2, "the key \"0\" answers whenever no id is given");
    assert_eq!(found(&captured, 1, "checkout"), 1);
    assert_eq!(captured.find("checkout").unwrap().head().id.0, 2);
}

#[test]
fn tags_select_any_or_all() {
    let tag = |id: u64, tags: &[&str]| {
        let tags: Vec<_> = tags.iter().map(|tag| format!(r#"{{"value":"{tag}"}}"#)).collect();
        format!(r#"{{"id":{id},"key":"f{id}","tags":[{}]}}"#, tags.join(","))
    };
    let rows = [tag(3, &["web"]), tag(1, &["web", "ios"]), tag(2, &["ios", "ios"]), tag(4, &[])];
    let rules = rules(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let select = |tags: &[&str], operator| {
        let tags: Vec<Box<str>> = tags.iter().map(|tag| (*tag).into()).collect();
        rules.tagged(&tags, operator).iter().map(|flag| flag.head().id.0).collect::<Vec<_>>()
    };
    assert_eq!(select(&["web"], TagsOperator::Any), [1, 3]);
    assert_eq!(select(&["web", "ios", "no"], TagsOperator::Any), [1, 2, 3]);
    assert_eq!(select(&["ios", "web"], TagsOperator::All), [1]);
    assert_eq!(select(&["ios"], TagsOperator::All), [1, 2]);
    assert_eq!(select(&["web", "no"], TagsOperator::All), [0; 0]);
    assert_eq!(select(&["no"], TagsOperator::Any), [0; 0]);
}

#[test]
fn what_is_unchanged_is_taken_over() {
    let rows =
        [r#"{"id":1,"key":"a","notes":"n"}"#, r#"{"id":2,"key":"b"}"#, r#"{"id":3,"key":"c"}"#];
    let first = rules(&rows);
    let next = |rows: &[&str]| {
        Ruleset::compile(&flags(rows), Vec::new(), Strictness::AsStored, Some(&first)).reused
    };
    assert_eq!(next(&rows), 3);
    assert_eq!(next(&[rows[2], rows[0]]), 2, "in any order");
    assert_eq!(next(&[rows[0], r#"{"id":2,"key":"b","enabled":true}"#]), 1);
    assert_eq!(next(&[r#"{"id":1,"key":"renamed","notes":"n"}"#]), 0);
    assert_eq!(next(&[r#"{"id":9,"key":"a","notes":"n"}"#]), 0);
}

#[test]
fn a_distribution_that_flagr_would_panic_on_gives_no_variant() {
    let rules = rules(&[
        r#"{"id":42,"key":"f","enabled":true,"variants":[{"id":1,"key":"v1"},{"id":2,"key":"v2"}],
        "segments":[{"rolloutPercent":100,"distributions":[{"variantID":1,"percent":30},{"variantID":2,"percent":60}]}]}"#,
    ]);
    assert_eq!(
        rules.evaluate("f", &Context::new("user-2302")).variant_key(),
        Some("v2"),
        "bucket 899"
    );
    let it = rules.evaluate("f", &Context::new("user-1972"));
    assert_eq!((it.variant_key(), it.reason), (None, Reason::Holdout), "bucket 900");
}

#[test]
fn a_variant_that_the_flag_lacks_is_reported_by_its_id() {
    let rules = rules(&[r#"{"id":1,"key":"f","enabled":true,
        "segments":[{"id":5,"rolloutPercent":100,"distributions":[{"variantID":9,"percent":100}]}]}"#]);
    let it = rules.evaluate("f", &Context::new("u"));
    assert_eq!((it.variant_id.0, it.segment_id.0, it.variant), (9, 5, None));
}

#[test]
fn a_document_is_checked_as_flagr_checks_a_file() {
    let document = r#"[
        {"key":""},
        {"key":"twice","variants":[{"key":"v"}],"segments":[{"rolloutPercent":100}]},
        {"key":"twice"},
        {"key":"variants","variants":[{"key":""},{"key":"v"},{"key":"v"}],"segments":[{"rolloutPercent":101}]},
        {"key":"rows","variants":[{"key":"v"}],"segments":[{"distributions":[
            {"percent":40,"variantKey":"no"},{"percent":101},{"percent":1,"variantID":7}]}]},
        {"key":"constraints","segments":[{"constraints":[{"property":"a","operator":"EQ","value":"1"},
            {"property":"","operator":"EQ","value":"1"},{"property":"a","operator":"IS","value":"1"}]}]},
        {"key":"pattern","segments":[{"constraints":[{"property":"a","operator":"EREG","value":"\"(\""}]}]}
    ]"#;
    let problems = check(document.as_bytes()).unwrap();
    let of = |level| {
        problems
            .iter()
            .filter(move |it| it.level == level)
            .map(|it| format!("{} {}", it.flag, it.path))
    };
    let mut errors: Vec<_> = of(Level::Error).collect();
    errors.sort();
    assert_eq!(
        errors,
        [
            " key",
            "constraints segments[0].constraints[1]",
            "constraints segments[0].constraints[2]",
            "rows segments[0].distributions",
            "rows segments[0].distributions[0].variantKey",
            "rows segments[0].distributions[1]",
            "rows segments[0].distributions[1].percent",
            "twice key",
            "variants segments[0].rolloutPercent",
            "variants variants[0].key",
            "variants variants[2].key",
        ]
    );
    assert!(of(Level::Warning).any(|it| it == "pattern segments[0]"), "{problems:?}");

    let Compilation { ruleset, .. } = Ruleset::from_json(document.as_bytes()).unwrap();
    assert_eq!(ruleset.evaluate("variants", &Context::new("u")).reason, Reason::Error);
    assert_eq!(ruleset.evaluate("pattern", &Context::new("u")).reason, Reason::Disabled);
}

#[test]
fn of_two_variants_with_one_id_the_last_counts() {
    let document = r#"{"Flags":[{"ID":1,"Key":"f","Enabled":true,
        "Variants":[{"ID":1,"Key":"x"},{"ID":1,"Key":"y"}],
        "Segments":[{"RolloutPercent":100,"Distributions":[{"VariantKey":"x","Percent":100}]}]}]}"#;
    let Compilation { ruleset, problems, .. } = Ruleset::from_json(document.as_bytes()).unwrap();
    assert_eq!(problems, [], "Flagr does not check ids");
    assert_eq!(ruleset.evaluate("f", &Context::new("u")).variant_key(), Some("y"));
}

/// A flag that is on for everybody, or that Flagr would refuse.
fn simple(id: &str, key: &str, good: bool) -> String {
    let percent = if good { 100 } else { 90 };
    format!(
        r#"{{{id}"key":"{key}","enabled":true,"variants":[{{"key":"{key}-on"}}],
            "segments":[{{"rolloutPercent":100,"distributions":[{{"variantKey":"{key}-on","percent":{percent}}}]}}]}}"#
    )
}

#[test]
fn a_flag_in_quarantine_stands_in_no_other_flags_way() {
    let next = |first: &[String], second: &[String]| {
        let rows = |rows: &[String]| flags(&rows.iter().map(String::as_str).collect::<Vec<_>>());
        let first = Ruleset::compile(&rows(first), Vec::new(), Strictness::Checked, None).ruleset;
        Ruleset::compile(&rows(second), Vec::new(), Strictness::Checked, Some(&first)).ruleset
    };
    let variant = |rules: &Ruleset, id, key: &str| {
        let flag = rules.resolve(FlagRef { id, key })?;
        Ruleset::evaluate_flag(flag, &Context::new("u")).variant_key().map(str::to_owned)
    };

    // Id 5 was `a`, and is `b` now; `a` is another flag, and broken.
    let rules = next(
        &[simple("\"id\":5,", "a", true)],
        &[simple("\"id\":5,", "b", true), simple("\"id\":6,", "a", false)],
    );
    assert_eq!(variant(&rules, 5, "").as_deref(), Some("b-on"));
    assert_eq!(
        variant(&rules, 0, "a").as_deref(),
        Some("a-on"),
        "the last good version, by its key"
    );

    // Without ids the broken `c` gets the number that the removed `a` had.
    let rules = next(&[simple("", "a", true)], &[simple("", "c", false)]);
    assert_eq!(rules.evaluate("a", &Context::new("u")).reason, Reason::NotFound);
    assert_eq!(rules.evaluate("c", &Context::new("u")).reason, Reason::Error);
}

#[test]
fn many_tags_cost_no_more_than_few() {
    let rows: Vec<_> = (1..=5000)
        .map(|id| format!(r#"{{"id":{id},"key":"f{id}","tags":[{{"value":"a"}}]}}"#))
        .collect();
    let rules = rules(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let mut tags: Vec<Box<str>> = vec!["a".into(); 200_000];
    assert_eq!(rules.tagged(&tags, TagsOperator::All).len(), 5000);
    assert_eq!(rules.tagged(&tags, TagsOperator::Any).len(), 5000);
    tags.push("unknown".into());
    assert_eq!(rules.tagged(&tags, TagsOperator::All).len(), 0);
}
