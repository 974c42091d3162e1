//! A courier in memory, with a sink that does what a test says. Time passes when everybody waits.

// tidy: long because its cases share one scripted sink and one log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vexilla_domain::{
    DeliveryError, DeliveryErrorKind, ExposeErrorKind, Exposure, ExposureSink, RowError,
};

use super::Courier;
use super::delivery::Impressions;
use crate::exposure_config::ExposureConfig;
use crate::parcel;

/// What the sink does with a batch.
#[derive(Debug, Clone, Copy)]
enum Does {
    Takes,
    Fails(DeliveryErrorKind),
    /// Refuses the rows at these places.
    Refuses(&'static [usize]),
    /// Takes so many at once.
    TakesAtMost(usize),
    /// Fails whatever holds this entity.
    Chokes(&'static str),
    Hangs,
}

#[derive(Debug)]
struct Sink {
    next: Mutex<VecDeque<Does>>,
    then: Mutex<Does>,
    took: mpsc::UnboundedSender<Vec<String>>,
    asked: Semaphore,
}

#[async_trait]
impl ExposureSink for Sink {
    async fn send(&self, exposures: &[Exposure]) -> Result<Vec<RowError>, DeliveryError> {
        self.asked.add_permits(1);
        let next = self.next.lock().unwrap().pop_front();
        let does = next.unwrap_or(*self.then.lock().unwrap());
        let names: Vec<String> = exposures.iter().map(|it| it.entity_id.to_string()).collect();
        let fails = |kind| Err(DeliveryError::new(kind, "the script says so"));
        let refused: &[usize] = match does {
            Does::Refuses(rows) => rows,
            Does::Fails(kind) => return fails(kind),
            Does::TakesAtMost(most) if most < names.len() => {
                return fails(DeliveryErrorKind::BadBatch);
            }
            Does::Chokes(on) if names.iter().any(|it| it == on) => {
                return fails(DeliveryErrorKind::BadBatch);
            }
            Does::Takes | Does::TakesAtMost(_) | Does::Chokes(_) => &[],
            Does::Hangs => std::future::pending().await,
        };
        self.took.send(names).unwrap();
        Ok(refused.iter().map(|it| RowError { index: *it, message: "no".into() }).collect())
    }
}

struct Rig {
    courier: Courier,
    sink: Arc<Sink>,
    batches: mpsc::UnboundedReceiver<Vec<String>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Rig {
    async fn new(then: Does, change: impl FnOnce(&mut ExposureConfig)) -> Self {
        let (took, batches) = mpsc::unbounded_channel();
        let sink = Arc::new(Sink {
            next: Mutex::default(),
            then: Mutex::new(then),
            took,
            asked: Semaphore::new(0),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let mut config = ExposureConfig::default();
        change(&mut config);
        let delivery = Arc::new(Impressions(sink.clone()));
        let courier = Courier::start(&config, "x", delivery, stop.clone(), &tasks).await;
        tasks.close();
        Self { courier: courier.unwrap(), sink, batches, stop, tasks }
    }

    async fn take(&self, names: std::ops::Range<u32>) {
        for name in names {
            self.courier.take(vec![named(name)]).await.unwrap();
        }
    }

    async fn batch(&mut self) -> Vec<String> {
        self.batches.recv().await.unwrap()
    }

    /// Waits until the sink was asked so often more.
    async fn asked(&self, times: u32) {
        self.sink.asked.acquire_many(times).await.unwrap().forget();
    }

    /// Lets the task say what it has to say.
    async fn told_the_log(&self) {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }

    async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    /// What is queued, sent, dropped, and refused.
    fn counts(&self) -> [u64; 4] {
        let counts = self.courier.counts();
        [counts.queued, counts.sent, counts.dropped, counts.row_errors]
    }
}

fn named(name: u32) -> Box<[u8]> {
    let name = name.to_string();
    parcel::write(&Exposure { entity_id: name.into(), flag_key: "f".into(), ..Exposure::default() })
}

fn names(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|it| it.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once_and_the_rest_after_the_interval() {
    let mut rig = Rig::new(Does::Takes, |_| {}).await;
    let start = Instant::now();
    rig.take(0..130).await;
    assert_eq!(rig.batch().await, names(0..100));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(rig.batch().await, names(100..130));
    assert!((Duration::from_secs(1)..Duration::from_millis(1_010)).contains(&start.elapsed()));
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 130, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn while_flagr_is_away_nothing_is_lost_and_what_is_too_much_is_refused() {
    let mut rig = Rig::new(Does::Fails(DeliveryErrorKind::Unavailable), |it| it.queue = 300).await;
    rig.take(0..300).await;
    let refused = rig.courier.take(vec![named(300)]).await.unwrap_err();
    assert_eq!(refused.kind(), ExposeErrorKind::Full);
    rig.asked(5).await;
    assert_eq!(rig.counts(), [300, 0, 0, 0]);
    assert_eq!(rig.courier.counts().last_error.as_deref(), Some("the script says so"));

    *rig.sink.then.lock().unwrap() = Does::Takes;
    for batch in 0..3 {
        assert_eq!(rig.batch().await, names(batch * 100..batch * 100 + 100));
    }
    // There is room again, as often as it is needed.
    for round in 0..4 {
        rig.take(round * 250..round * 250 + 250).await;
        assert_eq!(
            rig.batch().await.len() + rig.batch().await.len() + rig.batch().await.len(),
            250
        );
    }
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 1_300, 0, 0]);
    assert_eq!(rig.courier.counts().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn bytes_are_bounded_too() {
    let rig = Rig::new(Does::Hangs, |it| it.queue_bytes = 100).await;
    rig.courier.take(vec![vec![b'x'; 60].into()]).await.unwrap();
    let refused = rig.courier.take(vec![vec![b'x'; 60].into()]).await.unwrap_err();
    assert_eq!(refused.kind(), ExposeErrorKind::Full);
    rig.courier.take_or_drop(vec![b'x'; 60].into());
    assert_eq!(rig.counts(), [1, 0, 1, 0]);
    let counts = rig.courier.counts();
    assert_eq!((counts.bytes, counts.rejected), (60, 1));
}

/// What is logged in this thread: level and message.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || log.clone())
            .without_time()
            .with_target(false)
            .with_ansi(false);
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn warnings(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter_map(|it| it.trim().strip_prefix("WARN ")).map(str::to_owned).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Time passes by a minute when everybody waits, and no faster.
#[tokio::test(start_paused = true)]
async fn a_queue_that_stays_full_is_told_once_a_minute_with_how_many_it_cost() {
    let log = Log::default();
    let _listening = log.listen();
    let mut rig = Rig::new(Does::Hangs, |it| it.queue = 1).await;
    rig.take(0..1).await;
    rig.asked(1).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        for _ in 0..1_000 {
            rig.courier.take_or_drop(named(1));
            rig.courier.take(vec![named(2)]).await.unwrap_err();
        }
        tokio::time::advance(Duration::from_secs(61)).await;
        rig.told_the_log().await;
        told.push(log.warnings().len());
    }
    let warnings = log.warnings();
    assert!(told.iter().enumerate().all(|(round, it)| *it <= 2 * (round + 2)), "{warnings:?}");
    rig.stop().await;
    let warnings = log.warnings();
    let sum = |words: &str| -> u64 {
        let found = warnings.iter().filter(|it| it.contains(words));
        let count = |it: &String| -> Option<u64> {
            it.split_once("count=")?.1.split(' ').next()?.parse().ok()
        };
        found.map(|it| count(it).unwrap_or_else(|| panic!("{it}"))).sum::<u64>()
    };
    assert_eq!(sum("exposures are dropped"), 3_001, "with the one that hung: {warnings:?}");
    assert_eq!(sum("exposures are not taken"), 3_000, "{warnings:?}");
    assert_eq!(rig.counts(), [0, 0, 3_001, 0]);
    assert_eq!(rig.courier.counts().rejected, 3_000);
    assert!(rig.batches.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn rows_that_flagr_refuses_again_and_again_are_told_once_a_minute() {
    let log = Log::default();
    let _listening = log.listen();
    let mut rig = Rig::new(Does::Refuses(&[0]), |_| {}).await;
    for name in 0..30 {
        rig.take(name..name + 1).await;
        rig.batch().await;
    }
    let expected = "Flagr refuses exposures count=1 error=for a reason that level `debug` shows";
    assert_eq!(log.warnings(), [expected]);
    rig.stop().await;
    let last = log.warnings().pop().unwrap();
    assert!(last.starts_with("Flagr refuses exposures count=29 "), "{last}");
}

/// Flagr may be replaced by one that has it, so what waits is tried on.
#[tokio::test(start_paused = true)]
async fn without_a_path_for_them_no_more_are_taken_and_the_log_is_told_once_a_minute() {
    let log = Log::default();
    let _listening = log.listen();
    let mut rig = Rig::new(Does::Fails(DeliveryErrorKind::NotOffered), |_| {}).await;
    rig.take(0..3).await;
    let start = Instant::now();
    rig.asked(20).await;
    rig.told_the_log().await;
    let refused = rig.courier.take(vec![named(3)]).await.unwrap_err();
    assert_eq!(
        (refused.kind(), &*refused.to_string()),
        (ExposeErrorKind::NoFlagr, "Flagr has no path for them")
    );
    assert_eq!(rig.counts(), [3, 0, 0, 0]);
    let counts = rig.courier.counts();
    assert_eq!((counts.rejected, counts.last_error.as_deref()), (1, Some("the script says so")));
    let warnings = || {
        let (turned_away, others): (Vec<_>, Vec<_>) =
            log.warnings().into_iter().partition(|it| it.starts_with("exposures are not taken"));
        (turned_away, others)
    };
    let words = "Flagr has no path for exposures: until it has, no more are taken";
    let said = warnings().1;
    assert!(said.iter().all(|it| it.starts_with(words)), "{said:?}");
    let minutes = start.elapsed().as_secs() / 60;
    assert!((2..=minutes + 1).contains(&(said.len() as u64)), "{minutes} minutes: {said:?}");

    *rig.sink.then.lock().unwrap() = Does::Takes;
    assert_eq!(rig.batch().await, names(0..3));
    rig.told_the_log().await;
    rig.take(4..5).await;
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 4, 0, 0]);
    let turned_away = "exposures are not taken count=1 error=Flagr has no path for them";
    let (away, later) = warnings();
    assert_eq!(away, [turned_away]);
    // The last attempt before that may have been told meanwhile.
    let is_same = later.iter().all(|it| it.starts_with(words)) && later.len() <= said.len() + 1;
    assert!(is_same, "what is well is well: {later:?}");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_waited_for() {
    let mut rig = Rig::new(Does::Fails(DeliveryErrorKind::Suspended), |_| {}).await;
    rig.take(0..3).await;
    let start = Instant::now();
    rig.asked(60).await;
    // Not ever more seldom: nobody is asked.
    assert!(start.elapsed() < Duration::from_secs(61), "{:?}", start.elapsed());
    *rig.sink.then.lock().unwrap() = Does::Takes;
    assert_eq!(rig.batch().await, names(0..3));
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 3, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn rows_that_flagr_refuses_are_counted_and_not_sent_again() {
    let mut rig = Rig::new(Does::Takes, |_| {}).await;
    rig.sink.next.lock().unwrap().push_back(Does::Refuses(&[0, 2, 99]));
    rig.take(0..4).await;
    assert_eq!(rig.batch().await, names(0..4));
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_goes_in_pieces() {
    let mut rig = Rig::new(Does::TakesAtMost(30), |_| {}).await;
    rig.take(0..100).await;
    let mut all = Vec::new();
    while all.len() < 100 {
        let batch = rig.batch().await;
        assert!(batch.len() <= 30);
        all.extend(batch);
    }
    assert_eq!(all, names(0..100));
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 100, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn one_that_flagr_fails_at_costs_itself_alone() {
    let mut rig = Rig::new(Does::Chokes("7"), |_| {}).await;
    rig.take(0..20).await;
    let mut all = Vec::new();
    while all.len() < 19 {
        all.extend(rig.batch().await);
    }
    all.sort_by_key(|it| it.parse::<u32>().unwrap());
    assert_eq!(all, names(0..20).into_iter().filter(|it| it != "7").collect::<Vec<_>>());
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 19, 1, 1]);
}

/// What is delivered of a batch is not delivered again with the rest.
#[tokio::test(start_paused = true)]
async fn a_failure_in_the_midst_of_a_batch_repeats_nothing() {
    let mut rig = Rig::new(Does::TakesAtMost(50), |_| {}).await;
    let script = [Does::TakesAtMost(50), Does::Takes, Does::Fails(DeliveryErrorKind::Unavailable)];
    rig.sink.next.lock().unwrap().extend(script);
    rig.take(0..100).await;
    assert_eq!(rig.batch().await, names(0..50));
    assert_eq!(rig.batch().await, names(50..100));
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 100, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_what_waits_is_sent() {
    let mut rig = Rig::new(Does::Takes, |_| {}).await;
    rig.sink.next.lock().unwrap().push_back(Does::Fails(DeliveryErrorKind::Unavailable));
    rig.take(0..250).await;
    rig.stop().await;
    let mut all = Vec::new();
    while let Ok(batch) = rig.batches.try_recv() {
        all.extend(batch);
    }
    assert_eq!((all, rig.counts()), (names(0..250), [0, 250, 0, 0]));
    let refused = rig.courier.take(vec![named(0)]).await.unwrap_err();
    assert_eq!(refused.kind(), ExposeErrorKind::Stopped);
}

#[tokio::test(start_paused = true)]
async fn the_end_is_not_waited_for_longer_than_its_limit_and_the_loss_is_counted() {
    for then in [Does::Hangs, Does::Fails(DeliveryErrorKind::Unavailable)] {
        let rig = Rig::new(then, |it| it.flush_limit = Duration::from_secs(3)).await;
        rig.take(0..250).await;
        let start = Instant::now();
        rig.stop().await;
        assert!(start.elapsed() < Duration::from_millis(3_100), "{:?}", start.elapsed());
        assert_eq!(rig.counts(), [0, 0, 250, 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn records_of_another_version_are_dropped_alone() {
    let mut rig = Rig::new(Does::Takes, |_| {}).await;
    let unreadable: Box<[u8]> = b"what is this".to_vec().into();
    rig.courier.take(vec![named(0), unreadable, named(1)]).await.unwrap();
    assert_eq!(rig.batch().await, names(0..2));
    rig.stop().await;
    assert_eq!(rig.counts(), [0, 2, 1, 0]);
}
