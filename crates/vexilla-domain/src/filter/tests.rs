//! What each rule keeps, and what rules are refused.

use std::time::{Duration, UNIX_EPOCH};

use crate::{ActiveHours, Flag, FlagFilter, Tag, TagsOperator};

fn flag(enabled: bool, tags: &[&str]) -> Flag {
    let tags = tags.iter().map(|it| Tag { value: (*it).into(), ..Tag::default() }).collect();
    Flag { enabled, tags, key: "k".into(), ..Flag::default() }
}

fn check(filter: &FlagFilter, cases: &[(bool, &[&str], bool)]) {
    for (enabled, tags, kept) in cases {
        assert_eq!(
            filter.should_cache(&flag(*enabled, tags)),
            *kept,
            "{filter:?} {enabled} {tags:?}"
        );
    }
}

#[test]
fn without_rules_everything_is_kept() {
    check(&FlagFilter::default(), &[(false, &[], true), (true, &["a"], true)]);
}

#[test]
fn each_rule_is_the_references() {
    let filter = FlagFilter::default();
    check(&filter.clone().with_only_enabled(), &[(true, &[], true), (false, &["a"], false)]);
    check(
        &filter.clone().with_service_tag("pay", true),
        &[(true, &["pay"], true), (true, &["payments"], false), (true, &[], false)],
    );
    check(&filter.clone().with_service_tag("pay", false), &[(true, &[], true)]);
    let prefixed = filter.clone().with_service_tag("pay", true).with_service_tag_prefix("service:");
    check(&prefixed, &[(true, &["service:pay"], true), (true, &["pay"], false)]);
    let any = filter.clone().with_additional_tags(["a", "b"], TagsOperator::Any);
    check(&any, &[(true, &["b", "c"], true), (true, &["c"], false)]);
    let all = filter.clone().with_additional_tags(["a", "b"], TagsOperator::All);
    check(&all, &[(true, &["b", "a"], true), (true, &["b"], false)]);
    let none: [&str; 0] = [];
    check(&filter.clone().with_additional_tags(none, TagsOperator::Any), &[(true, &[], true)]);
    let patterns =
        filter.clone().with_tag_pattern("^team-").unwrap().with_tag_pattern("core$").unwrap();
    check(&patterns, &[(true, &["team-x", "hard-core"], true), (true, &["team-x"], false)]);
    let closure = filter.clone().with_predicate(|flag| flag.tags.len() > 1);
    check(&closure, &[(true, &["a", "b"], true), (true, &["a"], false)]);
    check(&all.with_only_enabled(), &[(false, &["a", "b"], false)]);
}

#[test]
fn hours_concern_the_tagged() {
    let hours = ActiveHours::between("08:00", "18:00").unwrap().for_tag("office");
    let filter = FlagFilter::default().with_active_hours(hours);
    let (noon, midnight) = (UNIX_EPOCH + Duration::from_secs(12 * 3600), UNIX_EPOCH);
    let (office, other) = (flag(true, &["office"]), flag(true, &["other"]));
    assert!(filter.should_cache_at(&office, noon) && filter.should_cache_at(&other, noon));
    assert!(!filter.should_cache_at(&office, midnight) && filter.should_cache_at(&other, midnight));
    assert!(filter.should_cache(&office), "whatever the hour");
}

#[test]
fn patterns_have_limits() {
    let error = |pattern: &str| FlagFilter::default().with_tag_pattern(pattern).unwrap_err();
    assert_eq!(
        error("a{").to_string(),
        "tag_pattern: `a{` is not a regular expression: unclosed counted repetition"
    );
    assert_eq!(
        error(r"\w{1000}{10}").to_string(),
        r"tag_pattern: `\w{1000}{10}` is too large when compiled"
    );
    assert!(error(&"a".repeat(1025)).to_string().ends_with("` has more than 1024 bytes"));
    assert_eq!(error("(").field(), "tag_pattern");
}

#[test]
fn the_source_is_asked_for_what_it_can_filter_by() {
    let asked = |filter: FlagFilter| filter.asked_of_source().for_source().unwrap();
    let filter = FlagFilter::default();
    assert_eq!(filter.for_source(), None);
    assert_eq!(asked(filter.clone()), (false, vec![], TagsOperator::Any));
    let service = filter.clone().with_service_tag("pay", true).with_service_tag_prefix("s:");
    assert_eq!(
        asked(service.clone().with_only_enabled()),
        (true, vec!["s:pay".into()], TagsOperator::All)
    );
    let both = service.clone().with_additional_tags(["a"], TagsOperator::All);
    assert_eq!(asked(both), (false, vec!["a".into(), "s:pay".into()], TagsOperator::All));
    // What cannot be said in one request is filtered here.
    let either = service.with_additional_tags(["a", "b"], TagsOperator::Any);
    assert_eq!(asked(either), (false, vec!["s:pay".into()], TagsOperator::All));
}
