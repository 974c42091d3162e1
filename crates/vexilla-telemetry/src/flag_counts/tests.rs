//! What `flag_counts` promises.

use std::collections::BTreeMap;

use super::*;

/// Counts so often for each flag, then collects.
fn collect(counts: &FlagCounts, uses: &[(&str, u64)]) -> Vec<(String, u64)> {
    for (flag, times) in uses {
        let slot = counts.slot(flag);
        (0..*times).for_each(|_| counts.add(slot));
    }
    counts.collect()
}

fn shown(uses: &[(&str, u64)]) -> Vec<(String, u64)> {
    uses.iter().map(|(flag, count)| ((*flag).to_owned(), *count)).collect()
}

#[test]
fn the_flags_in_most_use_are_shown_by_name() {
    let counts = FlagCounts::new(2);
    let first = collect(&counts, &[("a", 1), ("b", 5), ("c", 3), ("d", 2)]);
    assert_eq!(first, shown(&[("b", 5), ("c", 3), ("other", 3)]));
}

#[test]
fn no_series_ever_falls() {
    let counts = FlagCounts::new(2);
    let rounds: [&[(&str, u64)]; 5] = [
        &[("a", 9), ("b", 5), ("c", 1)],
        &[("c", 50)],            // `b` leaves for `c`
        &[("b", 100), ("d", 1)], // and returns
        &[],
        &[("a", 1000), ("b", 1000), ("c", 1000)],
    ];
    let mut last = BTreeMap::new();
    for uses in rounds {
        for (flag, count) in collect(&counts, uses) {
            let before = last.insert(flag.clone(), count).unwrap_or(0);
            assert!(before <= count, "{flag} fell from {before} to {count}");
        }
    }
    // Nothing is lost: flags that are not shown now keep what was shown of them.
    assert_eq!(last.values().sum::<u64>(), 9 + 5 + 1 + 50 + 100 + 1 + 3000);
}

#[test]
fn there_are_never_more_labels_than_asked_for() {
    let counts = FlagCounts::with_capacity(10, 100);
    for round in 0..20 {
        let flags: Vec<_> = (0..50).map(|it| format!("flag-{round}-{it}")).collect();
        let uses: Vec<_> = flags.iter().map(|flag| (flag.as_str(), 1 + round)).collect();
        assert!(collect(&counts, &uses).len() <= 11);
    }
    assert_eq!(counts.slot("one-too-many"), Slot::default());
}

/// However many came before it.
#[test]
fn a_flag_that_comes_late_is_shown_when_it_is_used_most() {
    let counts = FlagCounts::new(1);
    for flag in 0..6_000 {
        counts.add(counts.slot(&format!("flag-{flag}")));
    }
    let late = collect(&counts, &[("late", 3)]);
    assert_eq!(late, shown(&[("late", 3), ("other", 6_000)]));
}

#[test]
fn a_flag_called_other_is_counted_with_the_others() {
    let counts = FlagCounts::new(2);
    assert_eq!(collect(&counts, &[("other", 2), ("a", 1)]), shown(&[("a", 1), ("other", 2)]));
}

#[test]
fn threads_lose_nothing() {
    let counts = FlagCounts::new(2);
    let slot = counts.slot("a");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10_000).for_each(|_| counts.add(slot)));
        }
    });
    assert_eq!(counts.collect(), shown(&[("a", 40_000), ("other", 0)]));
}
