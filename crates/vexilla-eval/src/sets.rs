//! Lists of a condition to look something up in.

use std::cmp::Ordering;

use crate::measure::{ALLOCATION, bytes};
use crate::operand::nearly_equal;

/// Up to this many items are compared one by one, which is faster than a search.
const FEW: usize = 8;

/// Texts to look one up in.
#[derive(Debug)]
pub(crate) struct TextSet {
    texts: Box<[Box<[u8]>]>,
    /// The places of many texts in ascending order; empty for few.
    order: Box<[u32]>,
}

impl TextSet {
    pub(crate) fn new(texts: Box<[Box<[u8]>]>) -> Self {
        let order = ascending(&texts, Ord::cmp);
        Self { texts, order }
    }

    #[inline]
    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        if self.order.is_empty() {
            return self.texts.iter().any(|it| **it == *text);
        }
        let at = |place: &u32| self.texts.get(*place as usize).map_or(&[][..], |it| it);
        self.order.binary_search_by(|place| at(place).cmp(text)).is_ok()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let texts = self.texts.iter().map(|it| size_of_val(it) + bytes(it.len()));
        texts.sum::<usize>() + size_of_val(&*self.order) + 2 * ALLOCATION
    }

    /// The texts as written.
    pub(crate) fn as_slice(&self) -> &[Box<[u8]>] {
        &self.texts
    }
}

/// Numbers to look one up in, nearly equal ones included.
#[derive(Debug)]
pub(crate) struct NumberSet {
    numbers: Box<[f64]>,
    /// The places of many numbers in ascending order; empty for few.
    order: Box<[u32]>,
}

impl NumberSet {
    pub(crate) fn new(numbers: Box<[f64]>) -> Self {
        let order = ascending(&numbers, f64::total_cmp);
        Self { numbers, order }
    }

    #[inline]
    pub(crate) fn contains(&self, number: f64) -> bool {
        const MARGIN: f64 = 2e-6; // twice what equality allows, so that rounding cannot hide a neighbour
        if self.order.is_empty() {
            return self.numbers.iter().any(|it| nearly_equal(number, *it));
        }
        let at = |place: &u32| self.numbers.get(*place as usize).copied().unwrap_or(f64::INFINITY);
        let from = self.order.partition_point(|place| at(place) < number - MARGIN);
        let near = self.order.get(from..).unwrap_or_default().iter().map(at);
        near.take_while(|it| *it <= number + MARGIN).any(|it| nearly_equal(number, it))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.numbers) + size_of_val(&*self.order) + 2 * ALLOCATION
    }

    /// The numbers as written.
    pub(crate) fn as_slice(&self) -> &[f64] {
        &self.numbers
    }
}

/// The places of the items in ascending order, if there are enough of them for that to pay.
fn ascending<T>(items: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Box<[u32]> {
    if items.len() <= FEW {
        return Box::default();
    }
    let mut places: Vec<(u32, &T)> = (0..).zip(items).collect();
    places.sort_by(|a, b| compare(a.1, b.1));
    places.into_iter().map(|(place, _)| place).collect()
}
