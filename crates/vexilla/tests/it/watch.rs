//! Evaluations are counted and measured without a look at the clock, but for one of many.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use vexilla::{Client, Config, Context, FlagCounts, Parts, SystemClock};
use vexilla_domain::{Clock, Observer, RefreshOutcome, RemoteErrorKind, RemoteOutcome, Strictness};

use crate::remote::{Mood, Remote};
use crate::routing::split;
use crate::scripted::{Answer, Scripted, flag};

/// A clock that counts how often it is looked at.
#[derive(Debug, Default)]
struct Looks(AtomicU64);

impl Clock for Looks {
    fn now(&self) -> SystemTime {
        self.0.fetch_add(1, Ordering::Relaxed);
        SystemClock.now()
    }

    fn instant(&self) -> Instant {
        self.0.fetch_add(1, Ordering::Relaxed);
        SystemClock.instant()
    }
}

/// Takes what it is told.
#[derive(Debug, Default)]
struct Told {
    samples: AtomicU64,
    refreshes: Mutex<Vec<RefreshOutcome>>,
    remotes: Mutex<Vec<RemoteOutcome>>,
    wants_samples: bool,
}

impl Observer for Told {
    fn refreshed(&self, outcome: RefreshOutcome, _: Duration) {
        self.refreshes.lock().unwrap().push(outcome);
    }

    fn remote_evaluated(&self, outcome: RemoteOutcome, _: Duration) {
        self.remotes.lock().unwrap().push(outcome);
    }

    fn evaluation_sampled(&self, _: Duration) {
        self.samples.fetch_add(1, Ordering::Relaxed);
    }

    fn wants_samples(&self) -> bool {
        self.wants_samples
    }
}

const ROUNDS: u64 = 2_560;

/// How often the clock was looked at, and evaluations were measured.
async fn evaluated(told: Arc<Told>, counts: Option<Arc<FlagCounts>>) -> (u64, u64) {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", ""), &flag(2, "b", "")]);
    let clock = Arc::new(Looks::default());
    let observer = Arc::clone(&told) as Arc<dyn Observer>;
    let parts = Parts::new(source).with_clock(Arc::clone(&clock) as _).with_observer(observer);
    let parts = match counts {
        Some(counts) => parts.with_flag_counts(counts),
        None => parts,
    };
    let client = Client::new(parts, Config::default()).await.unwrap();
    let (ctx, handle) = (Context::new("u1"), client.flag("a"));
    let before = clock.0.load(Ordering::Relaxed);
    for _ in 0..ROUNDS {
        assert!(handle.evaluate_with(&ctx, |it| it.variant_key() == Some("on")));
    }
    (clock.0.load(Ordering::Relaxed) - before, told.samples.load(Ordering::Relaxed))
}

#[tokio::test]
async fn who_wants_no_samples_pays_for_none() {
    let told = Arc::new(Told::default());
    assert_eq!(evaluated(told, Some(Arc::new(FlagCounts::new(1)))).await, (0, 0));
}

#[tokio::test]
async fn one_evaluation_of_many_is_measured() {
    let told = Arc::new(Told { wants_samples: true, ..Told::default() });
    let samples = ROUNDS / 256;
    assert_eq!(evaluated(told, None).await, (2 * samples, samples));
}

#[tokio::test]
async fn flags_are_counted_by_name_as_long_as_they_live() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", ""), &split(2, "b")]);
    let counts = Arc::new(FlagCounts::new(8));
    let remote = Remote::new(&[&flag(1, "a", ""), &split(2, "b")]);
    let parts = source.parts().with_remote(remote.clone()).with_flag_counts(Arc::clone(&counts));
    let client = Client::new(parts, Config::default()).await.unwrap();
    let ctx = Context::new("u1");
    let evaluate = async |key: &str| {
        client.evaluate(key, &ctx).await;
        client.local().evaluate(key, &ctx);
        client.evaluate_many(&[key], &ctx).await;
    };
    evaluate("a").await;
    evaluate("b").await; // which is Flagr's
    evaluate("1").await; // "a" by its id
    // The flags change and keep their counts; those that are new have theirs.
    source.then_flags(&[&flag(1, "a", ""), &split(2, "b"), &flag(3, "c", "")]);
    client.refresh().await.unwrap();
    evaluate("a").await;
    evaluate("c").await;
    client.local().evaluate("nobody", &ctx);
    let mut collected = counts.collect();
    collected.sort();
    let expected = [("a", 9), ("b", 3), ("c", 3), ("other", 1)];
    assert_eq!(collected, expected.map(|(key, count)| (key.to_owned(), count)));
}

#[tokio::test]
async fn an_observer_hears_of_refreshes_and_of_what_flagr_was_asked() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&split(1, "split")]);
    let remote = Remote::new(&[&split(1, "split")]);
    let told = Arc::new(Told::default());
    let parts = source.parts().with_remote(remote.clone());
    let parts = parts.with_observer(Arc::clone(&told) as _);
    let client = Client::new(parts, Config::default()).await.unwrap();
    source.then(Answer::Unchanged);
    client.refresh().await.unwrap();
    source.then(Answer::Fails);
    client.refresh().await.unwrap_err();
    assert_eq!(
        *told.refreshes.lock().unwrap(),
        [RefreshOutcome::Changed, RefreshOutcome::Unchanged, RefreshOutcome::Failed]
    );
    let ctx = Context::new("u1");
    for mood in [
        Mood::Answers,
        Mood::Fails(RemoteErrorKind::Unavailable),
        Mood::Fails(RemoteErrorKind::Suspended),
    ] {
        remote.set(mood);
        client.evaluate("split", &ctx).await;
    }
    assert_eq!(
        *told.remotes.lock().unwrap(),
        [RemoteOutcome::Answered, RemoteOutcome::Failed, RemoteOutcome::Refused]
    );
}
