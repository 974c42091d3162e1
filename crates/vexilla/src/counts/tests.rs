//! Every source and reason has a counter of its own.

use super::{Counts, REASONS, SOURCES, reason_at, source_at};

#[test]
fn each_source_and_reason_has_its_place() {
    for (at, reason) in REASONS.into_iter().enumerate() {
        assert_eq!(reason_at(reason), at, "{reason}");
    }
    for (at, source) in SOURCES.into_iter().enumerate() {
        assert_eq!(source_at(source), at, "{source:?}");
    }
    let counts = Counts::default();
    for (at, source) in SOURCES.into_iter().enumerate() {
        for reason in REASONS.into_iter().skip(at) {
            counts.evaluated(source, reason);
        }
    }
    counts.lost_record();
    let (evaluations, lost) = counts.evaluations();
    assert_eq!((evaluations.len(), lost), (12 + 11 + 10 + 9 + 8, 1));
    assert!(evaluations.iter().all(|it| it.2 == 1));
}
