//! Which flags are remote.

use super::Strategy::{self, Local, Remote};
use crate::{Distribution, Flag, Segment};

#[track_caller]
fn check(enabled: bool, segments: &[(u64, &[u64])], strategy: Strategy) {
    let row = |percent: &u64| Distribution { percent: *percent, ..Distribution::default() };
    let segment = |(rollout_percent, rows): &(u64, &[u64])| Segment {
        rollout_percent: *rollout_percent,
        distributions: rows.iter().map(row).collect(),
        ..Segment::default()
    };
    let flag =
        Flag { enabled, segments: segments.iter().map(segment).collect(), ..Flag::default() };
    assert_eq!(flag.strategy(), strategy, "{segments:?}");
}

#[test]
fn the_bucket_makes_a_flag_remote() {
    check(true, &[], Local);
    check(true, &[(100, &[100])], Local);
    check(true, &[(0, &[100]), (100, &[100])], Local);
    check(true, &[(100, &[])], Local);
    check(true, &[(1, &[100])], Remote);
    check(true, &[(99, &[100])], Remote);
    check(true, &[(100, &[50, 50])], Remote);
    check(true, &[(100, &[100, 0])], Remote);
    check(true, &[(100, &[40])], Remote);
    check(true, &[(100, &[100]), (50, &[100])], Remote);
    check(false, &[(50, &[100])], Local);
}
