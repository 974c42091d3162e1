//! What `replay` promises.

use std::time::{Duration, SystemTime};

use super::Replays;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn a_signature_is_new_once() {
    let mut replays = Replays::new(8);
    assert!(replays.remember([1; 32], at(100), at(0)));
    assert!(!replays.remember([1; 32], at(100), at(100)));
    assert!(replays.remember([2; 32], at(100), at(100)));
}

#[test]
fn what_is_too_old_anyway_is_forgotten() {
    let mut replays = Replays::new(8);
    assert!(replays.remember([1; 32], at(100), at(0)));
    assert!(replays.remember([2; 32], at(300), at(101)));
    assert_eq!((replays.known.len(), replays.order.len()), (1, 1));
}

#[test]
fn the_memory_is_bounded() {
    let mut replays = Replays::new(3);
    for number in 0..100 {
        assert!(replays.remember([number; 32], at(100), at(0)));
        assert!(replays.known.len() <= 3 && replays.order.len() <= 3);
    }
    assert!(!replays.remember([99; 32], at(100), at(0)));
    assert!(replays.remember([96; 32], at(100), at(0)), "the oldest had to go");
    assert!(Replays::new(0).remember([1; 32], at(100), at(0)));
}

#[test]
fn less_room_forgets_the_oldest() {
    let mut replays = Replays::new(3);
    for number in 0..3 {
        assert!(replays.remember([number; 32], at(100), at(0)));
    }
    replays.resize(1);
    assert!(!replays.remember([2; 32], at(100), at(0)));
    assert!(replays.remember([1; 32], at(100), at(0)));
}
