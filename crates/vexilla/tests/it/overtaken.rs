//! A Flagr that answers by an older version of a flag than the one held here: it reads its flags now and then only.

use std::sync::Arc;

use vexilla::{Client, Config, Context, Source};
use vexilla_domain::{Batch, Debug, Engine, FlagRef, Strictness};

use crate::remote::Remote;
use crate::routing::split;
use crate::scripted::{Scripted, constraint, flag};

/// The flag as of a snapshot.
fn at(snapshot: u64, flag: &str) -> String {
    flag.replacen("\"Key\"", &format!("\"SnapshotID\":{snapshot},\"Key\""), 1)
}

/// A client that holds flags as of snapshot 6, before a Flagr that answers by them as of another.
async fn rig(flags: &[String], theirs: u64) -> (Client, Arc<Remote>) {
    let of = |snapshot| flags.iter().map(|it| at(snapshot, it)).collect::<Vec<_>>();
    let (held, theirs) = (of(6), of(theirs));
    let texts = |it: &'_ [String]| it.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    let remote = Remote::new(&[&texts(&theirs)]);
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(6, &[&texts(&held)]);
    let client = Client::new(source.parts().with_remote(remote.clone()), Config::default());
    (client.await.unwrap(), remote)
}

async fn decided(client: &Client, key: &str) -> (Source, u64) {
    let evaluation = client.evaluate(key, &Context::new("u")).await;
    (evaluation.source, evaluation.flag.unwrap().snapshot_id.0)
}

#[tokio::test]
async fn who_reads_a_flag_here_reads_no_older_one() {
    let flags = [split(1, "one"), split(2, "two")];
    let (client, remote) = rig(&flags, 5).await;
    assert_eq!(decided(&client, "one").await, (Source::Standby, 6));
    let many = client.evaluate_many(&["one", "two"], &Context::new("u")).await;
    assert!(many.iter().all(|it| it.source == Source::Standby), "{many:?}");
    let engine: &dyn Engine = &client;
    let (asked, context) = (FlagRef { id: 0, key: "one" }, Context::new("u"));
    let answer = engine.evaluate(asked, &context, Debug::Off).await;
    assert_eq!(answer.evaluation.source, Source::Standby);
    let entities = [context];
    let batch = Batch { entities: &entities, flag_ids: &[1, 2], ..Batch::default() };
    let answers = engine.evaluate_batch(batch, 10).await.unwrap();
    let sources: Vec<_> = answers.iter().map(|it| it.answer.evaluation.source).collect();
    assert_eq!(sources, [Source::Standby; 2]);
    assert_eq!(remote.asked(), (2, 2), "it was asked each time");
    let stats = client.stats();
    assert_eq!((stats.by_source(Source::Standby), stats.by_source(Source::Remote)), (6, 0));
}

#[tokio::test]
async fn what_flagr_has_just_as_new_or_newer_is_its_to_decide() {
    for theirs in [6, 7] {
        let (client, _) = rig(&[split(1, "one")], theirs).await;
        assert_eq!(decided(&client, "one").await, (Source::Remote, theirs));
    }
    // Servers that do not say which version they answered by.
    let (client, _) = rig(&[split(1, "one")], 0).await;
    assert_eq!(decided(&client, "one").await, (Source::Remote, 0));
}

#[tokio::test]
async fn what_only_flagr_can_decide_stays_its_to_decide() {
    let recorded =
        split(1, "one").replace(r#""Enabled":true"#, r#""Enabled":true,"DataRecordsEnabled":true"#);
    let reading = flag(1, "one", &constraint("@http_x_country", "EQ", "\"US\""));
    for flag in [recorded, reading] {
        let (client, _) = rig(&[flag], 5).await;
        assert_eq!(decided(&client, "one").await, (Source::Remote, 5));
    }
}
