//! All work is done, on one thread, the short before the long.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use futures_util::future::{join, join_all};

use super::Lane;

#[tokio::test]
async fn all_work_is_done_on_one_thread() {
    let lane = Lane::new("test-lane");
    let works = (0..100).map(|n| lane.run(move || (n, thread::current().id())));
    let done: Vec<_> = join_all(works).await.into_iter().map(Result::unwrap).collect();
    assert!(done.iter().map(|it| it.0).eq(0..100));
    assert!(done.iter().all(|it| it.1 == done[0].1 && it.1 != thread::current().id()));
    let name = lane.run_long(|| thread::current().name().map(str::to_owned)).await.unwrap();
    assert_eq!(name.as_deref(), Some("test-lane"));
}

#[tokio::test]
async fn a_panic_ends_its_work_alone() {
    let lane = Lane::new("test-lane");
    let failed = lane.run(|| assert_eq!(1, 2, "a test panics")).await;
    assert_eq!(failed.unwrap_err().to_string(), "the work was given up");
    assert_eq!(lane.run(|| 7).await.unwrap(), 7);
}

#[tokio::test]
async fn long_work_lets_short_work_go_before() {
    let lane = Arc::new(Lane::new("test-lane"));
    let (queued, is_queued) = mpsc::channel::<()>();
    let (order, seen) = mpsc::channel();
    let long = lane.run_long({
        let (lane, order) = (Arc::clone(&lane), order.clone());
        move || {
            is_queued.recv().unwrap();
            lane.give_way();
            order.send("long").unwrap();
        }
    });
    let short = async {
        let work = lane.run(move || order.send("short").unwrap());
        let mut work = std::pin::pin!(work);
        assert!(futures_util::poll!(work.as_mut()).is_pending());
        queued.send(()).unwrap();
        work.await.unwrap();
    };
    let (long, ()) = join(long, short).await;
    long.unwrap();
    assert_eq!(seen.iter().take(2).collect::<Vec<_>>(), ["short", "long"]);
}

#[tokio::test]
async fn what_nobody_waits_for_is_not_begun() {
    let lane = Lane::new("test-lane");
    let (go, goes) = mpsc::channel::<()>();
    let (done, seen) = mpsc::channel::<()>();
    let busy = lane.run(move || goes.recv().unwrap());
    let mut busy = std::pin::pin!(busy);
    assert!(futures_util::poll!(busy.as_mut()).is_pending());
    {
        let given_up = lane.run(move || done.send(()).unwrap());
        let mut given_up = std::pin::pin!(given_up);
        assert!(futures_util::poll!(given_up.as_mut()).is_pending());
    }
    go.send(()).unwrap();
    busy.await.unwrap();
    lane.run(|| ()).await.unwrap();
    seen.recv().unwrap_err();
}

#[tokio::test]
async fn the_thread_ends_with_the_lane() {
    let lane = Lane::new("test-lane");
    let (ended, end) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel::<()>();
    let work = lane.run(move || {
        thread_local!(static KEPT: std::cell::RefCell<Option<mpsc::Sender<()>>> = const { std::cell::RefCell::new(None) });
        KEPT.set(Some(ended));
        begun.send(()).unwrap();
    });
    work.await.unwrap();
    begins.recv().unwrap();
    drop(lane);
    // The sender is dropped with the thread's own variables.
    end.recv().unwrap_err();
}
