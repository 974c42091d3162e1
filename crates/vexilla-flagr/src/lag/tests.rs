//! Since when, and how long yet.

use super::*;

const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn the_time_counts_from_the_first_time_a_number_is_seen() {
    let lag = Lag::new(LIMIT);
    let left = |number| lag.left(number, Instant::now(), Instant::now());
    assert_eq!(left(7), LIMIT);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(left(7), Duration::from_secs(1));
    assert_eq!(left(8), LIMIT);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(left(8), Duration::ZERO);
    lag.forget();
    assert_eq!(left(8), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn time_before_the_request_counts_and_time_after_it_does_not() {
    let lag = Lag::new(LIMIT);
    let asked_at = Instant::now();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(lag.left(7, Instant::now(), asked_at), LIMIT, "seen after the request");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(lag.left(7, Instant::now(), asked_at), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn pauses_double_for_the_same_number_and_end_with_the_time() {
    let lag = Lag::new(LIMIT);
    let pause = |number, left| {
        lag.left(number, Instant::now(), Instant::now());
        lag.pause(Duration::from_millis(left)).as_millis()
    };
    assert_eq!([3000, 2750, 2250].map(|left| pause(7, left)), [250, 500, 1000]);
    assert_eq!(pause(7, 1250), 1250);
    assert_eq!(pause(8, 3000), 250);
    for _ in 0..100 {
        pause(8, 3000);
    }
    assert_eq!(pause(8, 3000), 3000);
}
