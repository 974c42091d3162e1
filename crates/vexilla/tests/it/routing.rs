//! Who decides which flag, and what stands in for a Flagr that does not answer.

use vexilla::{Client, Config, Context, Fallback, Reason, Records, Rollouts, Source};
use vexilla_domain::{Debug, Engine, FlagRef, RemoteErrorKind, Strictness};

use crate::remote::{Mood, Remote};
use crate::scripted::{Scripted, constraint, flag};

/// Half of everybody gets each of two variants.
pub(crate) fn split(id: u64, key: &str) -> String {
    format!(
        r#"{{"ID":{id},"Key":"{key}","Enabled":true,
            "Variants":[{{"ID":{id}1,"Key":"a","Attachment":{{}}}},{{"ID":{id}2,"Key":"b","Attachment":{{}}}}],
            "Segments":[{{"ID":{id},"RolloutPercent":100,"Distributions":[
                {{"VariantID":{id}1,"VariantKey":"a","Percent":50}},{{"VariantID":{id}2,"VariantKey":"b","Percent":50}}]}}]}}"#
    )
}

fn recorded(id: u64, key: &str) -> String {
    flag(id, key, "").replace(r#""Enabled":true"#, r#""Enabled":true,"DataRecordsEnabled":true"#)
}

/// The flags of every kind.
fn flags() -> Vec<String> {
    vec![
        flag(1, "local", ""),
        split(2, "split"),
        recorded(3, "recorded"),
        flag(4, "hour", &constraint("@ts_hour", "GTE", "0")),
        flag(5, "header", &constraint("@http_x_country", "EQ", "\"US\"")),
        flag(6, "broken", &constraint("p", "LE", "1")),
        recorded(7, "off").replace(r#""Enabled":true"#, r#""Enabled":false"#),
        flag(8, "partial", "").replace(r#""RolloutPercent":100"#, r#""RolloutPercent":30"#),
        flag(9, "closed", "").replace(r#""RolloutPercent":100"#, r#""RolloutPercent":0"#),
    ]
}

async fn rig(config: Config) -> (std::sync::Arc<Remote>, Client) {
    let flags = flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&flags);
    let good: Vec<&str> = flags.iter().copied().filter(|it| !it.contains("\"broken\"")).collect();
    let remote = Remote::new(&good);
    let client = source.client_of(remote.clone(), config).await;
    (remote, client)
}

async fn decided(client: &Client, key: &str) -> (Source, Reason) {
    let evaluation = client.evaluate(key, &Context::new("u1")).await;
    (evaluation.source, evaluation.reason)
}

#[tokio::test]
async fn flags_that_are_flagrs_are_asked_for_and_the_others_are_not() {
    let (remote, client) = rig(Config::default()).await;
    assert_eq!(decided(&client, "local").await, (Source::Local, Reason::Static));
    assert_eq!(decided(&client, "off").await, (Source::Local, Reason::Disabled));
    assert_eq!(decided(&client, "closed").await, (Source::Local, Reason::Holdout), "0 % is nobody");
    assert_eq!(remote.asked(), (0, 0));
    for (asked, key) in
        ["split", "recorded", "hour", "header", "broken", "partial"].iter().enumerate()
    {
        let (source, _) = decided(&client, key).await;
        assert_eq!(source, Source::Remote, "{key}");
        assert_eq!(remote.asked().0, asked as u64 + 1, "{key}");
    }
    let stats = client.stats();
    assert_eq!((stats.by_source(Source::Remote), stats.by_source(Source::Local)), (6, 3));
    assert_eq!((stats.hits(), stats.misses(), stats.lost_records), (3, 6, 0));
}

#[tokio::test]
async fn rollouts_and_records_can_be_decided_here() {
    let mut config = Config::default();
    config.rollouts = Rollouts::Local;
    let (remote, client) = rig(config.clone()).await;
    assert_eq!(decided(&client, "split").await, (Source::Local, Reason::Split));
    assert_eq!(decided(&client, "recorded").await.0, Source::Remote, "whatever the setting");
    assert_eq!(decided(&client, "header").await.0, Source::Remote, "whatever the setting");
    assert_eq!(remote.asked(), (2, 0));

    config.records = Records::Off;
    let (remote, client) = rig(config).await;
    assert_eq!(decided(&client, "recorded").await, (Source::Local, Reason::Static));
    assert_eq!((remote.asked(), client.stats().lost_records), ((0, 0), 0));
}

#[tokio::test]
async fn an_outage_changes_no_answer() {
    let (remote, client) = rig(Config::default()).await;
    let mut before = Vec::new();
    for entity in 0..100 {
        let ctx = Context::new(format!("user-{entity}"));
        let asked = client.evaluate("split", &ctx).await;
        before.push((ctx, asked.variant_key().map(str::to_owned)));
    }
    assert!(before.iter().any(|it| it.1.as_deref() == Some("a")));
    assert!(before.iter().any(|it| it.1.as_deref() == Some("b")));

    for kind in [RemoteErrorKind::Unavailable, RemoteErrorKind::BadFlag, RemoteErrorKind::Refused] {
        remote.set(Mood::Fails(kind));
        for (ctx, variant) in &before {
            let now = client.evaluate("split", ctx).await;
            assert_eq!(now.variant_key(), variant.as_deref());
            assert_eq!((now.source, now.reason), (Source::Standby, Reason::Split));
        }
    }
    assert_eq!(decided(&client, "recorded").await, (Source::Standby, Reason::Static));
    assert_eq!(client.stats().lost_records, 1, "the record is what is lost");
    // What only Flagr knows cannot be decided, and nothing is made up.
    assert_eq!(decided(&client, "hour").await, (Source::Fallback, Reason::Fallback));
    assert_eq!(decided(&client, "header").await, (Source::Fallback, Reason::Fallback));
    assert_eq!(decided(&client, "broken").await, (Source::Fallback, Reason::Error));
}

#[tokio::test]
async fn calls_that_never_wait_decide_as_in_an_outage_and_say_so() {
    let (remote, client) = rig(Config::default()).await;
    let ctx = Context::new("u1");
    let sure = client.evaluate("split", &ctx).await;
    let local = client.local().evaluate("split", &ctx);
    assert_eq!(local.variant_key(), sure.variant_key());
    assert_eq!(local.source, Source::Standby);
    let handle = client.flag("split").evaluate(&ctx);
    assert_eq!((handle.variant_key(), handle.source), (sure.variant_key(), Source::Standby));
    let header = client.local().evaluate("header", &ctx);
    assert_eq!((header.source, header.reason), (Source::Fallback, Reason::NeedsRemote));
    assert!(client.local().bool("header", &ctx, true), "the caller's default");
    assert_eq!(remote.asked(), (1, 0));
}

#[tokio::test]
async fn many_flags_are_one_request_and_one_revision() {
    let (remote, client) = rig(Config::default()).await;
    let keys = ["split", "local", "recorded", "nope", "partial", "split"];
    let ctx = Context::new("u1");
    let all = client.evaluate_many(&keys, &ctx).await;
    assert_eq!(remote.asked(), (0, 1));
    let sources: Vec<_> = all.iter().map(|it| it.source).collect();
    let (remote_, local) = (Source::Remote, Source::Local);
    assert_eq!(sources, [remote_, local, remote_, local, remote_, remote_]);
    let named: Vec<_> = all.iter().map(|it| it.flag.as_ref().map_or("", |it| &*it.key)).collect();
    assert_eq!(named, ["split", "local", "recorded", "", "partial", "split"]);
    assert!(all.iter().all(|it| it.freshness.revision == all[0].freshness.revision));

    remote.set(Mood::Fails(RemoteErrorKind::Unavailable));
    let later = client.evaluate_many(&keys, &ctx).await;
    for (now, before) in later.iter().zip(&all) {
        assert_eq!(now.variant, before.variant);
        assert!(matches!(now.source, Source::Standby | Source::Local));
    }
    client.evaluate_many(&["local", "split"], &ctx).await;
    assert_eq!(remote.asked(), (1, 2), "a single one is asked for as such");
}

#[tokio::test]
async fn servers_hand_on_flagrs_own_answer() {
    let (remote, client) = rig(Config::default()).await;
    let ctx = Context::new("u1");
    let engine: &dyn Engine = &client;
    let answer = engine.evaluate(FlagRef { id: 2, key: "" }, &ctx, Debug::Off).await;
    assert_eq!(answer.evaluation.source, Source::Remote);
    let batch = vexilla_domain::Batch {
        entities: &[Context::new("u1"), Context::new("u2")],
        flag_ids: &[2, 1, 77],
        flag_keys: &["recorded".into(), "split".into()],
        ..Default::default()
    };
    let answers = engine.evaluate_batch(batch, 100).await.unwrap();
    assert_eq!((remote.asked(), answers.len()), ((1, 1), 10));
    let sources: Vec<_> = answers.iter().map(|it| it.answer.evaluation.source).collect();
    let (far, here) = (Source::Remote, Source::Local);
    assert_eq!(sources, [far, here, here, far, far, far, here, here, far, far]);
    assert_eq!(answers[0].answer.evaluation.variant, answers[4].answer.evaluation.variant);

    remote.set(Mood::Fails(RemoteErrorKind::Unavailable));
    let later = engine.evaluate_batch(batch, 100).await.unwrap();
    for (now, before) in later.iter().zip(&answers) {
        assert_eq!(now.answer.evaluation.variant, before.answer.evaluation.variant);
    }
}

#[tokio::test]
async fn the_fallback_is_what_was_configured_and_a_calls_default_goes_first() {
    for (fallback, enabled) in [
        (Fallback::FailOpen, Ok(true)),
        (Fallback::FailClosed, Ok(false)),
        (Fallback::Error, Err(())),
    ] {
        let mut config = Config::default();
        config.fallback = fallback;
        let (remote, client) = rig(config).await;
        remote.set(Mood::Fails(RemoteErrorKind::Unavailable));
        let ctx = Context::new("u1");
        for key in ["nope", "broken", "hour"] {
            assert_eq!(client.is_enabled(key, &ctx).await.map_err(drop), enabled, "{key}");
            assert_eq!(client.local().is_enabled(key, &ctx).map_err(drop), enabled, "{key}");
            assert_eq!(client.flag(key).is_enabled(&ctx).map_err(drop), enabled, "{key}");
            assert!(client.bool(key, &ctx, true).await && !client.bool(key, &ctx, false).await);
            assert_eq!(client.try_evaluate(key, &ctx).await.is_err(), enabled.is_err());
        }
        // A blank that is an answer is off, whatever the policy.
        for key in ["off", "closed"] {
            assert_eq!(client.is_enabled(key, &ctx).await, Ok(false), "{key}");
        }
        assert_eq!(client.is_enabled("local", &ctx).await, Ok(true));
    }
    let mut config = Config::default();
    config.fallback = Fallback::Error;
    let (_, client) = rig(config).await;
    let error = client.is_enabled("nope", &Context::new("u")).await.unwrap_err();
    assert_eq!(error.to_string(), "flag `nope` cannot be decided: NOT_FOUND");
}

#[tokio::test]
async fn an_explanation_says_why_flagr_would_be_asked() {
    let (_, client) = rig(Config::default()).await;
    let words = |key: &str| {
        let explanation = client.explain(key, &Context::new("u1")).unwrap();
        explanation.needs.words().collect::<Vec<_>>().join(", ")
    };
    assert_eq!(words("local"), "");
    assert_eq!(words("split"), "the entity's bucket decides");
    assert_eq!(words("recorded"), "Flagr records its evaluations");
    assert_eq!(words("header"), "it reads what Flagr puts into contexts");
    assert_eq!(words("broken"), "it is in error here");
}
