//! When flags can be trusted.

use super::*;
use Verdict::{Behind, Doubtful, Fell, Holds};

const SAME: u64 = 1;
const OTHER: u64 = 2;

/// What the caller holds, what the probe said before and after, what was read.
#[derive(Debug, Clone, Copy)]
struct Case(Option<u64>, Option<u64>, Option<u64>, Shows, u64);

/// Checks what is known while the flags may lag behind, and when they cannot any more.
fn check(case: Case, lagging: Verdict, later: Verdict) {
    let Case(held, before, last, shows, content) = case;
    let seen = Marker { max_snapshot_id: held, content: SAME };
    let probed = Probed { before, last };
    let evidence = Evidence { seen: Some(&seen), probed, shows, content };
    assert_eq!(evidence.judge(Duration::from_secs(2)), lagging, "{case:?}");
    assert_eq!(evidence.judge(Duration::ZERO), later, "{case:?}");
}

/// The probe asked once.
fn once(held: Option<u64>, number: Option<u64>, carried: u64, content: u64) -> Case {
    Case(held, number, number, Shows::UpTo(carried), content)
}

#[test]
fn a_number_that_rose() {
    check(once(Some(8), Some(9), 9, OTHER), Holds(Some(9)), Holds(Some(9)));
    check(once(Some(8), Some(9), 11, OTHER), Holds(Some(11)), Holds(Some(11))); // and two more since
    check(once(Some(8), Some(9), 8, SAME), Behind(Some(8)), Holds(Some(9))); // not yet, or a deletion
    check(once(Some(7), Some(9), 8, OTHER), Behind(Some(8)), Holds(Some(9))); // one of two
    check(once(Some(8), Some(9), 5, OTHER), Behind(Some(8)), Holds(Some(9))); // a deletion of more
    check(once(None, Some(9), 0, OTHER), Behind(None), Holds(Some(9))); // nothing is known of the caller's flags
    check(once(None, Some(9), 7, OTHER), Behind(Some(7)), Holds(Some(9)));
}

#[test]
fn a_number_that_stayed() {
    check(once(Some(9), Some(9), 9, SAME), Holds(Some(9)), Holds(Some(9)));
    check(once(Some(9), Some(9), 7, SAME), Holds(Some(9)), Holds(Some(9))); // the last one was a deletion
    check(once(Some(9), Some(9), 9, OTHER), Holds(Some(9)), Holds(Some(9))); // a late writer
    check(once(Some(9), Some(9), 7, OTHER), Behind(Some(9)), Holds(Some(9)));
}

#[test]
fn a_number_that_fell() {
    let fell = |last, carried, content| Case(Some(9), Some(5), last, Shows::UpTo(carried), content);
    check(fell(Some(5), 9, SAME), Doubtful, Fell(Some(5))); // the export is from before
    check(fell(Some(5), 5, OTHER), Fell(Some(5)), Fell(Some(5))); // it has arrived
    check(fell(Some(6), 5, OTHER), Doubtful, Fell(Some(6))); // a write since
    check(fell(Some(5), 3, OTHER), Doubtful, Fell(Some(5))); // its last change was a deletion
    check(fell(Some(9), 9, SAME), Holds(Some(9)), Holds(Some(9))); // the first probe was wrong
    check(fell(Some(9), 5, OTHER), Behind(Some(9)), Holds(Some(9)));
    check(fell(Some(10), 10, OTHER), Holds(Some(10)), Holds(Some(10)));
    check(fell(Some(10), 9, SAME), Behind(Some(9)), Holds(Some(10)));
    check(fell(None, 9, SAME), Holds(Some(9)), Holds(Some(9))); // neither can be believed
    check(fell(None, 5, OTHER), Doubtful, Fell(None));
}

#[test]
fn a_number_that_is_gone() {
    check(once(Some(9), None, 9, SAME), Holds(Some(9)), Holds(Some(9)));
    check(once(Some(9), None, 7, SAME), Holds(Some(9)), Holds(Some(9)));
    check(once(Some(9), None, 10, OTHER), Holds(Some(10)), Holds(Some(10))); // newer flags are newer
    check(once(Some(9), None, 5, OTHER), Doubtful, Fell(None)); // older ones are not, at once
    check(once(None, None, 5, OTHER), Holds(None), Holds(None)); // there never was one
}

#[test]
fn the_list_has_no_lag() {
    let list = |held, before, last, content| Case(held, before, last, Shows::Everything, content);
    let both = |case, verdict| check(case, verdict, verdict);
    both(list(None, Some(9), Some(9), OTHER), Holds(Some(9)));
    both(list(Some(8), Some(9), Some(9), OTHER), Holds(Some(9)));
    both(list(Some(8), Some(9), Some(9), SAME), Holds(Some(9)));
    both(list(Some(8), None, None, OTHER), Holds(Some(8)));
    both(list(None, None, None, OTHER), Holds(None));
    both(list(Some(9), Some(5), Some(5), OTHER), Fell(Some(5)));
    both(list(Some(9), Some(5), Some(6), OTHER), Fell(Some(5))); // the next probe will say that there is more
    both(list(Some(9), Some(5), Some(4), OTHER), Doubtful);
    both(list(Some(9), Some(5), Some(9), SAME), Holds(Some(9)));
    both(list(Some(9), Some(5), Some(10), SAME), Behind(Some(9)));
    both(list(Some(9), Some(5), None, SAME), Holds(Some(9)));
}

#[test]
fn a_first_load_takes_what_there_is() {
    let first = |number, carried| {
        let probed = Probed { before: number, last: number };
        Evidence { seen: None, probed, shows: Shows::UpTo(carried), content: OTHER }
            .judge(Duration::from_secs(2))
    };
    assert_eq!(first(Some(9), 9), Holds(Some(9)));
    assert_eq!(first(Some(9), 7), Behind(Some(7)));
    assert_eq!(first(Some(9), 0), Behind(None));
    assert_eq!(first(None, 7), Holds(None));
}
