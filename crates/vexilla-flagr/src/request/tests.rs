//! Bodies of requests.

use serde_json::value::RawValue;
use vexilla_domain::json::{Numbers, read_value};

use super::*;

fn with(json: &str) -> Context {
    let raw: &RawValue = serde_json::from_str(json).unwrap();
    Context::default().with_attributes(Some(read_value(raw, Numbers::AsWritten).unwrap()))
}

#[test]
fn one_evaluation() {
    let check = |id, key, context: Context, debug, expected: &str| {
        let body = evaluation(FlagRef { id, key }, &context, debug);
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    };
    let nobody = Context::default;
    check(0, "", nobody(), Debug::Off, "{}");
    check(7, "", nobody(), Debug::Off, r#"{"flagID":7}"#);
    check(7, "a\"b", nobody(), Debug::On, r#"{"enableDebug":true,"flagID":7,"flagKey":"a\"b"}"#);
    let user = || Context::new("ü1").with_entity_type("user");
    check(0, "k", user(), Debug::Off, r#"{"entityID":"ü1","entityType":"user","flagKey":"k"}"#);
    check(
        0,
        "",
        with(r#"{"n":1.50, "big":1e400, "i":12345678901234567890}"#),
        Debug::Off,
        r#"{"entityContext":{"big":1e400,"i":12345678901234567890,"n":1.50}}"#,
    );
    check(0, "", with("{}"), Debug::Off, r#"{"entityContext":{}}"#);
    check(0, "", with("[1]"), Debug::Off, r#"{"entityContext":[1]}"#);
    check(0, "", with("null"), Debug::Off, "{}");
}

#[test]
fn batches() {
    let entities = [Context::new("a").with("n", 1), Context::default()];
    let keys: [Box<str>; 2] = ["x".into(), "y".into()];
    let tags: [Box<str>; 1] = ["web".into()];
    let mut whole =
        Batch { entities: &entities, flag_keys: &keys, flag_tags: &tags, ..Batch::default() };
    let check = |whole: &Batch<'_>, selected: &[SelectedBy], expected: &str| {
        let body = batch(whole, whole.entities, selected);
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    };
    let start = r#"{"entities":[{"entityID":"a","entityContext":{"n":1}},{}]"#;
    check(
        &whole,
        &[SelectedBy::Id(3), SelectedBy::Id(1)],
        &format!(r#"{start},"flagIDs":[3,1]}}"#),
    );
    check(&whole, &[SelectedBy::Key(1)], &format!(r#"{start},"flagKeys":["y"]}}"#));
    check(&whole, &[SelectedBy::Tags], &format!(r#"{start},"flagTags":["web"]}}"#));
    whole.flag_tags_operator = TagsOperator::All;
    whole.debug = Debug::On;
    let all = [SelectedBy::Tags, SelectedBy::Id(2), SelectedBy::Key(0)];
    let rest = r#""enableDebug":true,"flagIDs":[2],"flagKeys":["x"],"flagTags":["web"],"flagTagsOperator":"ALL""#;
    check(&whole, &all, &format!("{start},{rest}}}"));
}
