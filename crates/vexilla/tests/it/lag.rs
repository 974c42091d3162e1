//! A source that lags, lies about being empty, or has another history all of a sudden; flags that are read one by one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use vexilla::{Change, Client, Config, Context, ExportPolicy, Freshness, Reason, Revision};
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{FlagId, FlagName, FlagState, Operator, Strictness};

use crate::refresh::settle;
use crate::scripted::{Answer, Scripted, flag};

const SOON: Duration = Duration::from_millis(100);

/// A flag as of a snapshot, on or off.
fn at(snapshot: u64, id: u64, key: &str, on: bool) -> String {
    let text =
        flag(id, key, "").replacen("\"ID\"", &format!("\"SnapshotID\":{snapshot},\"ID\""), 1);
    if on { text } else { text.replace("\"Enabled\":true", "\"Enabled\":false") }
}

fn found(text: &str) -> FlagState {
    let document = read_flags(format!("[{text}]").as_bytes()).unwrap();
    FlagState::Found(Box::new(document.flags.into_iter().next().unwrap()))
}

fn gone(id: u64, newest: u64) -> FlagState {
    FlagState::Gone { id: FlagId(id), newest }
}

fn named(id: u64) -> FlagName {
    FlagName { id: FlagId(id), key: Box::default() }
}

fn reason(client: &Client, key: &str) -> Reason {
    client.local().evaluate(key, &Context::new("u")).reason
}

async fn rig(number: u64, flags: &[&str]) -> (Arc<Scripted>, Client) {
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(number, flags);
    let client = source.client(Config::default()).await;
    (source, client)
}

#[tokio::test(start_paused = true)]
async fn a_refresh_waits_for_a_change_that_was_announced() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true)]).await;
    source.then_behind(5, &[&at(5, 1, "a", true)], SOON);
    source.then_behind(5, &[&at(5, 1, "a", true)], SOON);
    source.then_numbered(6, &[&at(6, 1, "a", false)]);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::Disabled);
    assert_eq!(source.fetches.load(Ordering::Relaxed), 4);
    assert_eq!(client.stats().max_snapshot_id, 6);
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_is_read_by_itself_is_there_at_once_and_no_lag_takes_it_back() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true), &at(4, 2, "b", true)]).await;
    source.knows(1, found(&at(6, 1, "a", false)));
    source.then_behind(5, &[&at(5, 1, "a", true), &at(4, 2, "b", true)], SOON);
    client.reread(&[named(1)]).await.unwrap();
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Disabled, Reason::Static));
    assert_eq!(source.singles.load(Ordering::Relaxed), 1);
    let mut publications = client.subscribe();
    for _ in 0..5 {
        publications.next().await.unwrap();
        assert_eq!(reason(&client, "a"), Reason::Disabled, "what is fetched is older");
    }
    source.then_numbered(7, &[&at(7, 1, "a", true), &at(4, 2, "b", true)]);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::Static, "what is fetched is newer");
}

/// Flagr's API for one flag tells one date, the export tells all.
#[tokio::test(start_paused = true)]
async fn a_flag_that_is_read_by_itself_is_exported_with_the_dates_that_are_known() {
    const DATES: &str = r#""CreatedAt":"2026-11-22T10:00:00.987654321Z","UpdatedAt":"2026-11-23T10:00:00.123456789Z""#;
    let exported = |flag: &str, updated: &str| {
        let dated = flag.replace("\"ID\"", &format!("{DATES},\"ID\""));
        dated.replacen("2026-11-23T10:00:00.123456789Z", updated, 1)
    };
    let written = |flag: &str| {
        let flags = read_flags(format!("[{flag}]").as_bytes()).unwrap().flags;
        String::from_utf8(write_flags(&flags)).unwrap() + "\n"
    };
    let source = Scripted::new(Strictness::AsStored);
    let old = exported(&at(5, 1, "a", true), "2026-11-23T10:00:00.123456789Z");
    source.then_numbered(5, &[&old]);
    let mut config = Config::default();
    config.export = ExportPolicy::Keep;
    let client = source.client(config).await;

    let now = at(6, 1, "a", false);
    source.knows(
        1,
        found(&now.replacen("\"ID\"", "\"updatedAt\":\"2026-11-26T10:00:00.5Z\",\"ID\"", 1)),
    );
    client.reread(&[named(1)]).await.unwrap();
    let shown = || String::from_utf8(client.export().unwrap().to_vec()).unwrap();
    assert_eq!(shown(), written(&exported(&now, "2026-11-26T10:00:00.5Z")));

    let exact = exported(&now, "2026-11-26T10:00:00.501234567Z");
    source.then_numbered(6, &[&exact]);
    client.refresh().await.unwrap();
    assert_eq!(shown(), written(&exact));
}

#[tokio::test(start_paused = true)]
async fn a_new_flag_stays_while_what_is_fetched_does_not_have_it_yet() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true)]).await;
    source.knows(2, found(&at(6, 2, "new", true)));
    source.then_behind(5, &[&at(5, 1, "a", true)], SOON);
    client.reread(&[named(2)]).await.unwrap();
    let mut publications = client.subscribe();
    for _ in 0..5 {
        publications.next().await.unwrap();
        assert_eq!(reason(&client, "new"), Reason::Static);
    }
    // Deleted again, which shows in a fetch that the source is sure of.
    source.then_numbered(7, &[&at(5, 1, "a", true)]);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "new"), Reason::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_flag_is_not_raised_from_the_dead_by_a_lag_and_comes_back_when_restored() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true), &at(4, 2, "b", true)]).await;
    source.knows(1, gone(1, 6));
    source.then_behind(5, &[&at(5, 1, "a", true), &at(4, 2, "b", true)], SOON);
    client.reread(&[FlagName { id: FlagId(0), key: "a".into() }]).await.unwrap();
    let mut publications = client.subscribe();
    for _ in 0..5 {
        assert_eq!(reason(&client, "a"), Reason::NotFound);
        assert_eq!(reason(&client, "b"), Reason::Static);
        publications.next().await.unwrap();
    }
    source.then_behind(6, &[&at(7, 1, "a", true), &at(4, 2, "b", true)], SOON);
    while publications.next().await.unwrap().added.is_empty() {}
    assert_eq!(reason(&client, "a"), Reason::Static, "restored after it was deleted");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_tell_of_one_flag_is_asked_for_all() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true)]).await;
    source.then_numbered(6, &[&at(6, 1, "a", false)]);
    client.reread(&[named(1)]).await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::Disabled);
    assert_eq!(source.full_fetches.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn many_notes_of_one_flag_are_one_read() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true)]).await;
    source.knows(1, found(&at(6, 1, "a", false)));
    source.then(Answer::Unchanged);
    let mut changes = client.subscribe();
    for _ in 0..1000 {
        client.notify(&[named(1)]);
    }
    assert_eq!(changes.next().await.unwrap().changed, [Box::<str>::from("a")]);
    assert_eq!(source.singles.load(Ordering::Relaxed), 1);

    // A great many flags are read all at once.
    let before = source.full_fetches.load(Ordering::Relaxed);
    client.notify(&(1..200).map(named).collect::<Vec<_>>());
    source.then_numbered(7, &[&at(7, 1, "a", true)]);
    assert_eq!(changes.next().await.unwrap().changed, [Box::<str>::from("a")]);
    assert_eq!(source.singles.load(Ordering::Relaxed), 1);
    assert!(source.full_fetches.load(Ordering::Relaxed) > before);
}

#[tokio::test(start_paused = true)]
async fn a_restored_backup_is_followed_in_a_new_epoch() {
    let (source, client) = rig(9, &[&at(9, 1, "a", true), &at(8, 2, "b", true)]).await;
    let first = client.stats().revision;
    source.then_numbered(3, &[&at(3, 1, "a", false)]);
    client.refresh().await.unwrap();
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Disabled, Reason::NotFound));
    let second = client.stats().revision;
    assert_eq!(second.epoch, first.epoch + 1);
    assert!(first < second);
    source.then_numbered(4, &[&at(4, 1, "a", true)]);
    client.refresh().await.unwrap();
    let third = client.stats().revision;
    assert_eq!(third, Revision { sequence: second.sequence + 1, ..second });
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_believed_after_a_second_sign() {
    let flags = at(5, 1, "a", true);
    let (source, client) = rig(5, &[&flags]).await;
    // It says so once, and takes it back.
    source.then_numbered(5, &[]);
    source.then_numbered(5, &[&flags]);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::Static);
    // It says so twice.
    source.then_numbered(5, &[]);
    source.then_numbered(5, &[]);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::NotFound);
    // It says so once, and something happened there.
    source.then_numbered(6, &[&at(6, 1, "a", true)]);
    client.refresh().await.unwrap();
    source.then_numbered(7, &[]);
    let before = source.fetches.load(Ordering::Relaxed);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::NotFound);
    assert_eq!(source.fetches.load(Ordering::Relaxed), before + 1);
    // The second time it fails: the flags stay.
    source.then_numbered(8, &[&at(8, 1, "a", true)]);
    client.refresh().await.unwrap();
    source.then_numbered(8, &[]);
    source.then(Answer::Fails);
    client.refresh().await.unwrap_err();
    assert_eq!(reason(&client, "a"), Reason::Static);
    // The second time nothing has changed since: so it has them.
    source.then_numbered(8, &[]);
    source.then(Answer::Unchanged);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::Static);
}

#[tokio::test(start_paused = true)]
async fn all_flags_are_read_now_and_then_although_nothing_seems_to_have_changed() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true)]).await;
    source.then(Answer::Unchanged);
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(5 * 60)).await;
        settle().await;
    }
    let full = source.full_fetches.load(Ordering::Relaxed);
    assert!((2..=4).contains(&full), "{full}");
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn subscribers_hear_what_changed_and_how_much_they_missed() {
    let (source, client) = rig(5, &[&at(5, 1, "a", true), &at(4, 2, "b", true)]).await;
    let (mut quick, mut slow) = (client.subscribe(), client.subscribe());
    let broken = at(6, 3, "c", true).replace(
        "\"Constraints\":[]",
        r#""Constraints":[{"Property":"p","Operator":"LE","Value":"1"}]"#,
    );
    source.then_numbered(6, &[&at(6, 1, "a", false), &broken]);
    client.refresh().await.unwrap();
    let Change { revision, added, changed, removed, quarantined, missed, .. } =
        quick.next().await.unwrap();
    assert_eq!(revision, client.stats().revision);
    assert_eq!(
        (added, changed, removed),
        (vec![Box::<str>::from("c")], vec![Box::<str>::from("a")], vec![Box::<str>::from("b")])
    );
    assert_eq!((quarantined, missed), (vec![Box::<str>::from("c")], 0));

    for number in 7..107 {
        source.then_numbered(number, &[&at(number, 1, "a", number % 2 == 0)]);
        client.refresh().await.unwrap();
    }
    assert_eq!(slow.next().await.unwrap().missed, 101 - 64);
    assert_eq!(slow.next().await.unwrap().missed, 0);
    client.stop().await;
    drop(client);
    while slow.next().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn rules_that_are_too_old_do_not_decide() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &[&at(5, 1, "a", true)]);
    let mut config = Config::default();
    config.max_staleness = Some(Duration::from_secs(600));
    let client = source.client(config).await;
    source.then(Answer::Fails);
    tokio::time::advance(Duration::from_secs(599)).await;
    settle().await;
    assert_eq!(reason(&client, "a"), Reason::Static);
    assert!(client.readiness().is_ready());
    tokio::time::advance(Duration::from_secs(2)).await;
    settle().await;
    assert_eq!(reason(&client, "a"), Reason::Fallback);
    assert!(client.bool("a", &Context::new("u"), true).await);
    assert_eq!(
        &*client.readiness().reasons[0],
        "the source has not confirmed the flags for too long"
    );
    let Freshness { stale, .. } = client.local().evaluate("a", &Context::new("u")).freshness;
    assert!(stale);

    source.then(Answer::Unchanged);
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::Static, "by itself, when the source is back");
    assert!(client.readiness().is_ready());
}
