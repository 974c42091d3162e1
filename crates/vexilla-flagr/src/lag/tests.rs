//! When an export can be trusted.

use super::*;

const LIMIT: Duration = Duration::from_secs(3);

#[test]
fn proofs() {
    let check = |newest, held, left, carried, expected| {
        let announced = Announced { newest, held, left: Duration::from_secs(left) };
        assert_eq!(announced.proof(carried), expected, "{announced:?}, {carried}");
    };
    let behind = |left| Proof::Behind(Duration::from_secs(left));
    check(9, 8, 3, 9, Proof::Holds(9)); // the change is there
    check(9, 8, 3, 8, behind(3)); // not yet
    check(9, 8, 3, 11, Proof::Holds(11)); // and two more since the probe
    check(9, 8, 0, 8, Proof::Holds(9)); // a deletion, after the lag
    check(9, 0, 2, 0, behind(2)); // nothing is known of the caller's flags
    check(5, 9, 3, 9, behind(3)); // a restored backup, the export is from before
    check(5, 9, 3, 5, Proof::Holds(5)); // it has arrived
    check(5, 9, 0, 9, Proof::Holds(5)); // Flagr's own numbers contradict each other for good
}

#[tokio::test(start_paused = true)]
async fn the_time_counts_from_the_first_time_a_number_is_seen() {
    let lag = Lag::new(LIMIT);
    let left = |newest| lag.announced(newest, 0).left;
    assert_eq!(left(7), LIMIT);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(left(7), Duration::from_secs(1));
    assert_eq!(left(8), LIMIT);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(left(8), Duration::ZERO);
}
