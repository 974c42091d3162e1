//! What a refresh may change, and what it must not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use vexilla::{
    Client, Config, Context, ExportPolicy, Parts, Reason, Refreshed, StartError, StartPolicy,
};
use vexilla_domain::{Depth, Fetch, FlagSource, Marker, SourceError, Strictness};

use crate::scripted::{Answer, Scripted, constraint, flag};

fn on(client: &Client, key: &str) -> bool {
    client.local().bool(key, &Context::new("u").with("country", "US"), false)
}

#[tokio::test]
async fn a_change_arrives_and_a_deletion_too() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", ""), &flag(2, "b", "")]);
    let client = source.client(Config::default()).await;
    let handle = client.flag("b");
    assert!(on(&client, "a") && on(&client, "b") && !on(&client, "c"));
    assert!(handle.bool(&Context::new("u"), false));

    source.then_flags(&[&flag(1, "a", ""), &flag(3, "c", "")]);
    let refreshed = client.refresh().await.unwrap();
    assert!(matches!(refreshed, Refreshed::Published(revision) if revision.sequence == 2));
    assert!(on(&client, "a") && !on(&client, "b") && on(&client, "c"));
    assert!(!handle.bool(&Context::new("u"), false), "a handle follows");
    let gone = client.evaluate("b", &Context::new("u")).await;
    assert_eq!(gone.reason, Reason::NotFound);
}

#[tokio::test]
async fn an_outage_changes_no_answer_and_shows_its_age() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    let client = source.client(Config::default()).await;
    assert_eq!(client.age(), Some(Duration::ZERO));

    source.then(Answer::Fails);
    for failures in 1..=3 {
        source.advance(Duration::from_secs(60));
        let error = client.refresh().await.unwrap_err();
        assert_eq!(error.to_string(), "the script says so: a cause");
        let evaluation = client.evaluate("a", &Context::new("u")).await;
        assert!(on(&client, "a") && evaluation.freshness.stale);
        assert_eq!(client.age(), Some(Duration::from_secs(60 * failures)));
        assert_eq!(client.stats().consecutive_failures, u32::try_from(failures).unwrap());
    }
    source.then(Answer::Unchanged);
    assert_eq!(client.refresh().await.unwrap(), Refreshed::Unchanged);
    let evaluation = client.evaluate("a", &Context::new("u")).await;
    assert!(!evaluation.freshness.stale);
    assert_eq!((client.age(), client.stats().consecutive_failures), (Some(Duration::ZERO), 0));
    assert_eq!(client.stats().last_error, None);
}

#[tokio::test]
async fn a_bad_flag_keeps_its_last_good_version_and_the_others_go_on() {
    let good = flag(1, "a", &constraint("country", "EQ", "\"US\""));
    let bad = flag(1, "a", &constraint("country", "EQ", "US"));
    for strictness in [Strictness::AsStored, Strictness::Checked] {
        let source = Scripted::new(strictness);
        source.then_flags(&[
            &good,
            &flag(2, "b", ""),
            &flag(4, "broken", &constraint("p", "LE", "1")),
        ]);
        let config = {
            let mut config = Config::default();
            config.export = ExportPolicy::Keep;
            config
        };
        let client = source.client(config).await;
        let never_good = client.evaluate("broken", &Context::new("u")).await;
        assert_eq!(never_good.reason, Reason::Error);
        assert_eq!(client.stats().quarantined, 1);

        source.then_flags(&[&bad, &flag(3, "c", "")]);
        client.refresh().await.unwrap();
        assert!(on(&client, "a"), "the last good version");
        assert!(!on(&client, "b") && on(&client, "c"), "the others go on");
        let problems: Vec<_> = client.problems().iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("flag `a`, segments[0].constraints[0]: "), "{problems:?}");
        let export = String::from_utf8(client.export().unwrap().to_vec()).unwrap();
        assert!(
            export.contains(r#""Value":"\"US\"""#) && export.contains(r#""Key":"c""#),
            "{export}"
        );
        assert!(!export.contains(r#""Key":"b""#) && export.ends_with("]}\n"), "{export}");

        source.then_flags(&[&flag(1, "a", &constraint("country", "EQ", "\"FR\""))]);
        client.refresh().await.unwrap();
        assert!(!on(&client, "a"), "mended: the new version");
        assert_eq!(client.problems(), []);
    }
}

#[tokio::test]
async fn a_file_with_a_flag_twice_serves_the_first() {
    let source = Scripted::new(Strictness::Checked);
    source.then_flags(&[&flag(1, "a", ""), &flag(2, "a", &constraint("country", "EQ", "\"FR\""))]);
    let client = source.client(Config::default()).await;
    assert!(on(&client, "a"));
    assert_eq!(client.problems().len(), 1);
    assert_eq!(client.stats().flags, 1);
}

#[tokio::test]
async fn a_start_without_flags_fails_or_comes_up_empty_as_configured() {
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Fails);
    let error = Client::new(Parts::new(source.clone()), Config::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "the first load failed: the script says so: a cause");

    let mut config = Config::default();
    config.start = StartPolicy::ComeUpEmpty;
    let client = source.client(config).await;
    let nothing = client.evaluate("a", &Context::new("u")).await;
    assert_eq!((nothing.reason, client.age(), client.stats().flags), (Reason::Fallback, None, 0));
    assert!(client.bool("a", &Context::new("u"), true).await, "the caller's default");

    source.then_flags(&[&flag(1, "a", "")]);
    client.refresh().await.unwrap();
    assert!(on(&client, "a"), "once the source is there, so are the flags");
}

#[tokio::test(start_paused = true)]
async fn a_start_takes_no_longer_than_it_may() {
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Wait);
    let error = Client::new(Parts::new(source.clone()), Config::default()).await.unwrap_err();
    assert!(
        matches!(error, StartError::Timeout(limit) if limit == Duration::from_secs(10)),
        "{error}"
    );
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let source = Scripted::new(Strictness::AsStored);
    let mut config = Config::default();
    config.refresh_interval = Duration::ZERO;
    let error = Client::new(Parts::new(source.clone()), config).await.unwrap_err();
    assert_eq!(error.to_string(), "configuration: refresh_interval: `0s` must be longer than zero");
    let error = Client::builder().start().await.unwrap_err();
    assert_eq!(error.to_string(), "configuration: source: name a Flagr or a flags file");
    let error = Client::builder().flagr("localhost:18000").start().await.unwrap_err();
    assert!(error.to_string().starts_with("configuration: flagr: "), "{error}");
    assert_eq!(source.fetches.load(Ordering::Relaxed), 0, "nothing was asked");
}

#[tokio::test(start_paused = true)]
async fn it_refreshes_by_itself_sooner_after_failures() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    source.then(Answer::Unchanged);
    let client = source.client(Config::default()).await;
    let fetches = || source.fetches.load(Ordering::Relaxed);
    let after = |seconds| tokio::time::advance(Duration::from_secs(seconds));
    settle().await;
    assert_eq!(fetches(), 1);
    after(269).await; // 90 % of 5 minutes, and less than that
    settle().await;
    assert_eq!(fetches(), 1, "not before its time");
    after(62).await;
    settle().await;
    assert_eq!(fetches(), 2, "within 110 % of 5 minutes");

    source.then(Answer::Fails);
    after(331).await;
    settle().await;
    let failed = fetches();
    after(2).await;
    settle().await;
    assert_eq!(fetches(), failed + 1, "a second after a failure");
    client.stop().await;
    after(3600).await;
    settle().await;
    assert_eq!(fetches(), failed + 1, "stopped");
    assert!(on(&client, "a"), "evaluations go on");
    assert_eq!(client.refresh().await.unwrap_err().to_string(), "the client was stopped");
}

/// Lets every other task run until it waits.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn refreshes_that_come_together_are_one() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    source.then(Answer::Wait);
    let client = source.client(Config::default()).await;
    let one = || {
        let client = client.clone();
        tokio::spawn(async move { client.refresh().await })
    };
    let first = one();
    settle().await;
    let rest: Vec<_> = (0..50).map(|_| one()).collect();
    settle().await;
    assert_eq!(
        source.fetches.load(Ordering::Relaxed),
        2,
        "the first is under way, the others wait for one more"
    );
    source.gate.add_permits(2);
    for task in std::iter::once(first).chain(rest) {
        assert_eq!(task.await.unwrap().unwrap(), Refreshed::Unchanged);
    }
    assert_eq!(source.fetches.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_ends_the_task() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    let client = source.client(Config::default()).await;
    let handle = client.clone().flag("a");
    drop(client);
    assert!(handle.bool(&Context::new("u"), false), "a handle keeps it alive");
    drop(handle);
    settle().await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    settle().await;
    assert_eq!(source.fetches.load(Ordering::Relaxed), 1);
}

/// A source whose second look ends by a defect.
#[derive(Debug)]
struct Defective(Arc<Scripted>);

#[async_trait]
impl FlagSource for Defective {
    async fn fetch(&self, seen: Option<&Marker>, depth: Depth) -> Result<Fetch, SourceError> {
        let first = seen.is_none().then_some(());
        first.unwrap();
        self.0.fetch(seen, depth).await
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}

#[tokio::test]
async fn a_defect_that_ends_the_refreshing_is_shown() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &[&flag(1, "a", "")]);
    let parts = Parts::new(Arc::new(Defective(source)));
    let client = Client::new(parts, Config::default()).await.unwrap();
    client.refresh().await.unwrap_err();
    let shown = async {
        while client.readiness().is_ready() || !client.stats().stale {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), shown).await.unwrap();
    assert!(on(&client, "a"), "serving goes on");
    client.stop().await; // and waits for nothing
}
