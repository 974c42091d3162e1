//! News arrive in order, each once, whatever the observer does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::*;

#[expect(clippy::disallowed_methods, reason = "an `Instant` has no other beginning")]
fn transitions() -> Vec<Transition> {
    let start = Instant::now();
    (0..100)
        .map(|second| Transition {
            from: State::Closed,
            to: State::Open,
            at: start + Duration::from_secs(second),
        })
        .collect()
}

type Told = Arc<Mutex<Vec<Transition>>>;

#[test]
fn in_order_from_many_threads() {
    let told = Told::default();
    let news = News::new({
        let told = Arc::clone(&told);
        move |transition| {
            let mut told = told.try_lock().expect("one at a time");
            told.push(transition);
            std::thread::yield_now();
        }
    });
    let source = Mutex::new(transitions().into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let mut source = source.lock().unwrap();
                    let Some(transition) = source.next() else { break };
                    news.add(vec![transition]);
                    drop(source);
                    news.tell();
                }
            });
        }
    });
    let sorted = told.lock().unwrap().windows(2).all(|pair| pair[0].at < pair[1].at);
    assert!(sorted);
    assert_eq!(told.lock().unwrap().len(), 100);
}

#[test]
fn an_observer_may_make_news() {
    let (told, news) = (Told::default(), Arc::new(OnceLock::<News>::new()));
    let observer = {
        let (told, news, more) = (Arc::clone(&told), Arc::clone(&news), transitions());
        move |transition| {
            let mut told = told.lock().unwrap();
            told.push(transition);
            if let (Some(next), Some(news)) = (more.get(told.len()), news.get()) {
                drop(told);
                news.add(vec![*next]);
                news.tell();
            }
        }
    };
    let news = news.get_or_init(|| News::new(observer));
    news.add(transitions().into_iter().take(1).collect());
    news.tell();
    assert_eq!(told.lock().unwrap().len(), 100);
}

#[test]
fn an_observer_that_panics_is_told_the_next() {
    let told = Told::default();
    let news = News::new({
        let told = Arc::clone(&told);
        move |transition| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(transition);
            assert!(told.len() != 1, "a bad observer");
        }
    });
    news.add(transitions());
    assert!(catch_unwind(AssertUnwindSafe(|| news.tell())).is_err());
    news.tell();
    assert_eq!(told.lock().unwrap_or_else(PoisonError::into_inner).len(), 100);
}
