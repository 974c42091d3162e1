//! How often each flag is evaluated, with as many labels as were asked for and no more.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Counts evaluations by flag. The flags in most use are shown by name, all others together as [`OTHER`](Self::OTHER).
///
/// A flag's [`Slot`] is asked for once, when rules are published, and kept beside the compiled flag. Counting into it is
/// one relaxed addition to a counter that few other threads share: it takes no lock and allocates nothing. What it costs
/// is memory, as flags come: 128 bytes for each of them, 512 flags at a time.
///
/// Every series only grows. A flag that comes into the set of those shown starts with what it is used from then on, and
/// one that leaves it keeps its count for when it returns; meanwhile its evaluations go to `other`.
#[derive(Debug)]
pub struct FlagCounts {
    /// The counters of 512 slots each: one row for each stripe, in which a thread adds to its own. There once they are
    /// needed.
    segments: Box<[OnceLock<Box<[AtomicU64]>>]>,
    capacity: usize,
    shown: usize,
    book: Mutex<Book>,
}

/// A flag's place among the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slot(u32);

impl Slot {
    /// The number that stands for it, to be kept where there is room for a number only. 0 is that of the flags that have
    /// no place of their own.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The slot of a number that [`number`](Self::number) gave. Any other number is counted nowhere.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// What collecting remembers. Slot 0 is of those that have no slot of their own.
#[derive(Default)]
struct Book {
    slots: HashMap<Box<str>, Slot>,
    uses: Vec<Use>,
    other: u64,
}

struct Use {
    flag: Box<str>,
    /// The counter when it was last read.
    read: u64,
    /// How much it is used of late: what was counted since the last reading, and half of what it was before.
    lately: u64,
    /// What is shown under its own name.
    own: u64,
}

const STRIPES: usize = 16;

/// How many slots a segment has.
const SEGMENT: usize = 512;

/// How many flags are counted each by itself, by default.
const CAPACITY: usize = 1 << 16;

thread_local! {
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES
    };
}

impl FlagCounts {
    /// The name that stands for all flags that are not shown by their own.
    pub const OTHER: &'static str = "other";

    /// Shows this many flags by name, of at most 65,536 that are counted each by itself.
    pub fn new(shown: usize) -> Self {
        Self::with_capacity(shown, CAPACITY)
    }

    /// Shows this many flags by name, of at most `capacity` that are counted each by itself. Flags that come later than
    /// these are never shown by name.
    pub fn with_capacity(shown: usize, capacity: usize) -> Self {
        let segments: Box<[OnceLock<_>]> =
            (0..=capacity / SEGMENT).map(|_| OnceLock::new()).collect();
        // Those without a place of their own are counted from the start.
        if let Some(first) = segments.first() {
            first.get_or_init(segment);
        }
        let rest = Use { flag: Self::OTHER.into(), read: 0, lately: 0, own: 0 };
        let book = Book { uses: vec![rest], ..Book::default() };
        Self { segments, capacity, shown, book: Mutex::new(book) }
    }

    /// How many flags are shown by name at most.
    #[cfg(feature = "otel")]
    pub(crate) fn shown(&self) -> usize {
        self.shown
    }

    /// The place of a flag, the same for as long as these counts live. Takes a lock: for when rules are published.
    pub fn slot(&self, flag: &str) -> Slot {
        let mut book = self.book();
        if let Some(slot) = book.slots.get(flag) {
            return *slot;
        }
        if flag == Self::OTHER || self.capacity < book.uses.len() {
            return Slot::default();
        }
        let Ok(place) = u32::try_from(book.uses.len()) else { return Slot::default() };
        let slot = Slot(place);
        if let Some(its) = self.segments.get(book.uses.len() / SEGMENT) {
            its.get_or_init(segment);
        }
        book.uses.push(Use { flag: flag.into(), read: 0, lately: 0, own: 0 });
        book.slots.insert(flag.into(), slot);
        slot
    }

    /// Counts one evaluation.
    #[inline]
    pub fn add(&self, slot: Slot) {
        let stripe = STRIPE.try_with(|it| *it).unwrap_or(0); // a thread that is ending has none left
        if let Some(counter) = self.counter(slot.0 as usize, stripe) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The flags in most use of late and how often each was evaluated while it was one of them, then
    /// [`OTHER`](Self::OTHER).
    pub fn collect(&self) -> Vec<(String, u64)> {
        let mut book = self.book();
        let Book { uses, other, .. } = &mut *book;
        let mut news = Vec::with_capacity(uses.len());
        for (slot, it) in uses.iter_mut().enumerate() {
            let now = self.sum(slot);
            let new = now.wrapping_sub(it.read);
            it.read = now;
            it.lately = it.lately / 2 + new;
            news.push(new);
        }
        let mut order: Vec<usize> = (1..uses.len()).collect();
        order.sort_by_key(|slot| uses.get(*slot).map(|it| (Reverse(it.lately), Reverse(it.own))));
        order.truncate(self.shown);
        let mut shown = Vec::with_capacity(order.len() + 1);
        for slot in order {
            let (Some(it), Some(new)) = (uses.get_mut(slot), news.get_mut(slot)) else { continue };
            it.own += std::mem::take(new);
            if it.own > 0 {
                shown.push((it.flag.to_string(), it.own));
            }
        }
        *other += news.iter().sum::<u64>();
        shown.push((Self::OTHER.to_owned(), *other));
        shown
    }

    #[inline]
    fn counter(&self, slot: usize, stripe: usize) -> Option<&AtomicU64> {
        self.segments.get(slot / SEGMENT)?.get()?.get(stripe * SEGMENT + slot % SEGMENT)
    }

    fn sum(&self, slot: usize) -> u64 {
        let counters = (0..STRIPES).filter_map(|stripe| self.counter(slot, stripe));
        counters.map(|it| it.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn segment() -> Box<[AtomicU64]> {
    (0..STRIPES * SEGMENT).map(|_| AtomicU64::new(0)).collect()
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("flags", &self.slots.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
