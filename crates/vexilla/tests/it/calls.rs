//! The calls of a client.

use vexilla::{Client, Config, Context, ErrorCode, Reason, Revision, Source, Value};
use vexilla_domain::Strictness;

use crate::scripted::{Scripted, constraint, flag};

/// A flag whose variant has this key and attachment.
fn valued(id: u64, key: &str, variant: &str, attachment: &str) -> String {
    flag(id, key, "")
        .replace(r#""Key":"on""#, &format!(r#""Key":"{variant}""#))
        .replace(r#""VariantKey":"on""#, &format!(r#""VariantKey":"{variant}""#))
        .replace(r#""Attachment":{}"#, &format!(r#""Attachment":{attachment}"#))
}

async fn client() -> Client {
    let source = Scripted::new(Strictness::Checked);
    source.then_flags(&[
        &flag(1, "switch", ""),
        &valued(2, "limit", "high", r#"{"value":250}"#),
        &valued(3, "ratio", "x", r#"{"value":0.25}"#),
        &valued(4, "colour", "blue", "{}"),
        &valued(5, "layout", "b", r#"{"value":{"columns":3}}"#),
        &flag(6, "targeted", &constraint("country", "EQ", "\"US\"")),
        &flag(7, "disabled", "").replace(r#""Enabled":true"#, r#""Enabled":false"#),
    ]);
    source.client(Config::default()).await
}

#[tokio::test]
async fn typed_calls_give_the_value_or_the_default() {
    let client = client().await;
    let ctx = Context::new("u").with("country", "US");
    assert!(client.bool("switch", &ctx, false).await);
    assert_eq!(client.int("limit", &ctx, 1).await, 250);
    assert!((client.float("ratio", &ctx, 1.0).await - 0.25).abs() < f64::EPSILON);
    assert_eq!(client.string("colour", &ctx, "red").await, "blue");
    let columns = client.json("layout", &ctx, Value::Null).await;
    assert!(matches!(columns, Value::Object(it) if it.get("columns") == Some(&Value::from(3))));

    assert_eq!(client.int("colour", &ctx, 7).await, 7);
    assert!(client.bool("no-such-flag", &ctx, true).await);
    let detail = client.int_detail("colour", &ctx, 7).await;
    assert_eq!((detail.value, detail.error), (7, Some(ErrorCode::TypeMismatch)));
    let detail = client.bool_detail("no-such-flag", &ctx, true).await;
    assert_eq!((detail.value, detail.error), (true, Some(ErrorCode::FlagNotFound)));
    let detail = client.string_detail("disabled", &ctx, "x").await;
    assert_eq!((&*detail.value, detail.reason, detail.error), ("x", Reason::Disabled, None));
    assert_eq!(client.float_detail("ratio", &ctx, 0.0).await.variant.as_deref(), Some("x"));
    assert_eq!(client.json_detail("colour", &ctx, Value::Null).await.value, Value::from("blue"));
}

#[tokio::test]
async fn every_way_to_ask_gives_the_same() {
    let client = client().await;
    for ctx in [Context::new("u").with("country", "US"), Context::new("u"), Context::new("")] {
        for key in ["switch", "targeted", "disabled", "no-such-flag"] {
            let evaluation = client.evaluate(key, &ctx).await;
            assert_eq!(client.local().evaluate(key, &ctx), evaluation);
            assert_eq!(client.flag(key).evaluate_with(&ctx, |it| it.to_owned()), evaluation);
            assert_eq!(client.evaluate_with(key, &ctx, |it| it.to_owned()).await, evaluation);
            assert_eq!(
                client.evaluate_many(&[key, key], &ctx).await,
                [evaluation.clone(), evaluation.clone()]
            );
            assert_eq!(
                client.explain(key, &ctx).map(|it| it.evaluation),
                evaluation.flag.is_some().then_some(evaluation)
            );
        }
    }
}

#[tokio::test]
async fn evaluations_say_what_they_are_about() {
    let client = client().await;
    let evaluation = client.evaluate("targeted", &Context::new("u").with("country", "US")).await;
    assert_eq!(evaluation.variant_key(), Some("on"));
    assert_eq!((evaluation.segment_id.0, evaluation.variant_id.0), (6, 6));
    assert_eq!(
        (evaluation.reason, evaluation.freshness.revision),
        (Reason::TargetingMatch, Revision { epoch: 0, sequence: 1 })
    );
    assert_eq!(evaluation.freshness.refreshed_at_ms, 1_000_000);
    assert_eq!(evaluation.flag.unwrap().id.0, 6);
    let blank = client.evaluate("targeted", &Context::new("u")).await;
    assert_eq!((blank.reason, blank.variant_key(), blank.segment_id.0), (Reason::NoMatch, None, 0));
}

#[tokio::test]
async fn stats_count_each_reason() {
    let client = client().await;
    let ctx = Context::new("u");
    for key in ["switch", "switch", "targeted", "disabled", "no-such-flag"] {
        client.evaluate(key, &ctx).await;
    }
    client.flag("switch").bool(&ctx, false);
    let stats = client.stats();
    assert_eq!(
        stats.evaluations,
        [(Reason::Static, 3), (Reason::NoMatch, 1), (Reason::Disabled, 1), (Reason::NotFound, 1)]
            .map(|(reason, count)| (Source::Local, reason, count))
    );
    assert_eq!((stats.total(), stats.hits(), stats.misses()), (6, 5, 1));
    assert_eq!(
        (stats.flags, stats.quarantined, stats.refreshes, &*stats.source),
        (7, 0, 2, "a script")
    );
}
