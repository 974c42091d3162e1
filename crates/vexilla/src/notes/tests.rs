//! When notes are read.

use std::time::Duration;

use tokio::time::Instant;

use super::Debounce;

/// Notes at these milliseconds are read at that one.
#[track_caller]
fn check(notes: &[u64], read: u64) {
    let start = start_of_time();
    let at = |millis| start + Duration::from_millis(millis);
    let mut debounce = Debounce::default();
    for note in notes {
        assert!(debounce.due().is_none_or(|due| at(*note) < due), "{note} comes too late");
        debounce.noted(at(*note));
    }
    assert_eq!(debounce.due(), Some(at(read)));
    debounce.over();
    assert_eq!(debounce.due(), None);
}

fn start_of_time() -> Instant {
    Instant::from_std(vexilla_domain::Clock::instant(&crate::SystemClock))
}

#[test]
fn notes_are_read_once_it_is_quiet_and_never_much_later_than_the_first() {
    check(&[0], 100);
    check(&[5, 50, 149], 249);
    let ceaseless: Vec<_> = (0..40).map(|it| it * 50).collect();
    check(&ceaseless, 2_000);
}

/// How often notes are read that come every 50 milliseconds for so many seconds.
fn reads(debounce: &mut Debounce, from: Instant, seconds: u64) -> usize {
    let mut reads = 0;
    for millis in (0..seconds * 1_000).step_by(50) {
        let now = from + Duration::from_millis(millis);
        if debounce.due().is_some_and(|due| due <= now) {
            debounce.over();
            reads += 1;
        }
        debounce.noted(now);
    }
    debounce.over();
    reads + 1
}

#[test]
fn a_long_burst_is_read_a_few_times() {
    let (mut debounce, start) = (Debounce::default(), start_of_time());
    assert_eq!(reads(&mut debounce, start, 1), 1);
    let later = start + Duration::from_secs(60);
    assert_eq!(reads(&mut debounce, later, 5), 2);
    let later = start + Duration::from_secs(120);
    assert_eq!(reads(&mut debounce, later, 30), 5, "at 2, 6, 14 and 22 seconds, and at the end");
}

#[test]
fn another_burst_is_as_fast_as_the_first() {
    let (mut debounce, start) = (Debounce::default(), start_of_time());
    reads(&mut debounce, start, 30);
    let later = start + Duration::from_secs(45);
    debounce.noted(later);
    assert_eq!(debounce.due(), Some(later + Duration::from_millis(100)));
    let ceaseless = (1..40).map(|it| later + Duration::from_millis(it * 50));
    ceaseless.for_each(|it| debounce.noted(it));
    assert_eq!(debounce.due(), Some(later + Duration::from_secs(2)));
}
