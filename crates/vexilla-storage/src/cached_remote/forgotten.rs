//! Which flags' answers are not to be given any more.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rapidhash::fast::RandomState;
use vexilla_domain::{FlagName, RemoteCall};

/// For each flag the number of the last time it was to be forgotten. The number is part of what is asked, so answers from
/// before, and those that are still on their way, are answers to something else.
#[derive(Debug, Default)]
pub(super) struct Forgotten(ArcSwap<Numbers>);

#[derive(Debug, Clone, Default)]
struct Numbers {
    last: u64,
    all: u64,
    by_id: HashMap<u64, u64, RandomState>,
    by_key: HashMap<Box<str>, u64, RandomState>,
}

impl Forgotten {
    /// More flags than this, and all are forgotten instead.
    const MOST: usize = 10_000;

    pub(super) fn flag(&self, flag: &FlagName) {
        self.0.rcu(|numbers| {
            let mut numbers = Numbers::clone(numbers);
            numbers.last += 1;
            if flag.id.0 != 0 {
                numbers.by_id.insert(flag.id.0, numbers.last);
            }
            if !flag.key.is_empty() {
                numbers.by_key.insert(flag.key.clone(), numbers.last);
            }
            if Self::MOST < numbers.by_id.len() + numbers.by_key.len() {
                numbers = Numbers::all_at(numbers.last);
            }
            Arc::new(numbers)
        });
    }

    pub(super) fn all(&self) {
        self.0.rcu(|numbers| Numbers::all_at(numbers.last + 1));
    }

    #[inline]
    pub(super) fn number(&self, call: &RemoteCall<'_>) -> u64 {
        let numbers = self.0.load();
        if numbers.last == numbers.all {
            return numbers.all;
        }
        let by_id = |id: u64| numbers.by_id.get(&id).copied().unwrap_or_default();
        let by_key = numbers.by_key.get(call.flag.key).copied().unwrap_or_default();
        numbers.all.max(by_id(call.id.0)).max(by_id(call.flag.id)).max(by_key)
    }
}

impl Numbers {
    fn all_at(number: u64) -> Self {
        Self { last: number, all: number, ..Self::default() }
    }
}
