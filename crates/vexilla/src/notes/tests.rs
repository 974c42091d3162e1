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
    let ceaseless: Vec<_> = (0..20).map(|it| it * 50).collect();
    check(&ceaseless, 1000);
}
