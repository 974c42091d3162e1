//! One does the work for all; none is left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::{JoinSet, yield_now};

use super::Flights;

/// Flights whose work is counted, and goes on when it is let.
#[derive(Default)]
struct Counted {
    flights: Flights<&'static str, usize>,
    begun: AtomicUsize,
    arrived: AtomicUsize,
    go: Notify,
}

impl Counted {
    async fn ask(self: Arc<Self>) -> usize {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let work = async {
            let turn = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            self.go.notified().await;
            turn
        };
        self.flights.join("key", work).await
    }

    /// On a runtime of one thread, who has arrived waits.
    async fn arrive(&self, many: usize) {
        while self.arrived.load(Ordering::SeqCst) < many {
            yield_now().await;
        }
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_thousand_wait_for_one() {
    let counted = Arc::new(Counted::default());
    let mut all = JoinSet::new();
    for _ in 0..1_000 {
        all.spawn(Arc::clone(&counted).ask());
    }
    counted.arrive(1_000).await;
    counted.go.notify_one();
    assert_eq!(all.join_all().await, vec![1; 1_000]);
    assert_eq!(counted.begun(), 1);
    assert_eq!(counted.flights.len(), 0);

    counted.go.notify_one();
    assert_eq!(Arc::clone(&counted).ask().await, 2);
}

#[tokio::test]
async fn when_the_one_goes_away_the_next_takes_over() {
    let counted = Arc::new(Counted::default());
    let first = tokio::spawn(Arc::clone(&counted).ask());
    counted.arrive(1).await;
    let mut others = JoinSet::new();
    for _ in 0..10 {
        others.spawn(Arc::clone(&counted).ask());
    }
    counted.arrive(11).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    while counted.begun() < 2 {
        yield_now().await;
    }
    counted.go.notify_one();
    assert_eq!(others.join_all().await, vec![2; 10]);
    assert_eq!(counted.flights.len(), 0);
}

#[tokio::test]
async fn who_leaves_last_leaves_nothing() {
    let counted = Arc::new(Counted::default());
    let tasks: Vec<_> = (0..3).map(|_| tokio::spawn(Arc::clone(&counted).ask())).collect();
    counted.arrive(3).await;
    assert_eq!(counted.flights.len(), 1);
    for task in tasks {
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    assert_eq!(counted.flights.len(), 0);
}

#[tokio::test]
async fn a_panic_is_its_own_only() {
    let flights = Arc::new(Flights::<u8, u8>::default());
    let panicking = {
        let flights = Arc::clone(&flights);
        tokio::spawn(async move { flights.join(1, async { panic!("as the test wants it") }).await })
    };
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(flights.len(), 0);
    assert_eq!(flights.join(1, async { 7 }).await, 7);
}
