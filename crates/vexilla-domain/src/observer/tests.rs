//! What `observer` promises.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

/// Writes down what it is told.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }
}

impl Observer for Notes {
    fn refreshed(&self, outcome: RefreshOutcome, took: Duration) {
        self.add(format!("refreshed {outcome:?} {took:?}"));
    }
    fn remote_evaluated(&self, outcome: RemoteOutcome, took: Duration) {
        self.add(format!("remote {outcome:?} {took:?}"));
    }
    fn cache_read(&self, read: CacheRead) {
        self.add(format!("cache {read:?}"));
    }
    fn evaluation_sampled(&self, took: Duration) {
        self.add(format!("sampled {took:?}"));
    }
    fn breaker_changed(&self, from: BreakerState, to: BreakerState) {
        self.add(format!("breaker {from:?} {to:?}"));
    }
    fn archived(&self, outcome: ArchiveOutcome, took: Duration) {
        self.add(format!("archived {outcome:?} {took:?}"));
    }
    fn webhook_received(&self, outcome: WebhookOutcome) {
        self.add(format!("webhook {outcome:?}"));
    }
}

/// Calls every method once.
fn tell_all(observer: &dyn Observer) {
    let second = Duration::from_secs(1);
    observer.refreshed(RefreshOutcome::Unchanged, second);
    observer.remote_evaluated(RemoteOutcome::Refused, second);
    observer.cache_read(CacheRead::Stale);
    observer.evaluation_sampled(second);
    observer.breaker_changed(BreakerState::Closed, BreakerState::Open);
    observer.archived(ArchiveOutcome::Superseded, second);
    observer.webhook_received(WebhookOutcome::TooLarge);
}

#[test]
fn several_observers_are_told_the_same() {
    let (first, second) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
    tell_all(&Fanout::new([Arc::clone(&first) as Arc<dyn Observer>, second.clone()]));
    let expected = [
        "refreshed Unchanged 1s",
        "remote Refused 1s",
        "cache Stale",
        "sampled 1s",
        "breaker Closed Open",
        "archived Superseded 1s",
        "webhook TooLarge",
    ];
    assert_eq!(*first.0.lock().unwrap(), expected);
    assert_eq!(*second.0.lock().unwrap(), expected);
}

#[test]
fn nobody_may_be_told() {
    let nobody: Arc<dyn Observer> = Arc::new(());
    tell_all(nobody.as_ref());
    tell_all(&Fanout::default());
}

#[test]
fn a_word_is_in_its_place() {
    for (index, word) in WebhookOutcome::ALL.iter().enumerate() {
        assert_eq!(*word as usize, index, "{}", word.as_str());
    }
    let states: Vec<_> = BreakerState::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(states, ["closed", "open", "half-open"]);
}
