//! The dates of flags that were read one by one: only Flagr's export tells all of them.

use std::collections::HashMap;
use std::mem;

use vexilla_domain::json::{flags_in, read_written};
use vexilla_domain::{
    Constraint, Distribution, Flag, FlagId, Segment, Tag, Times, Timestamp, Variant,
};

/// Dates flags by what a document says of them.
pub(crate) fn complete_all(flags: &mut [Flag], document: &[u8]) {
    let mut wanted: HashMap<FlagId, &mut Flag> = flags.iter_mut().map(|it| (it.id, it)).collect();
    for (id, place) in flags_in(document) {
        if wanted.contains_key(&id)
            && let Some(Ok(held)) = document.get(place).map(read_written)
            && let Some(flag) = wanted.remove(&id)
        {
            complete(flag, &held);
        }
    }
    for flag in wanted.into_values() {
        complete(flag, &Flag::default());
    }
}

/// Dates a flag by a former version of it. A row that says the same as before keeps its dates; one that says something
/// else, or is new, gets the date of the flag's last change for one, until an export tells better.
pub(crate) fn complete(flag: &mut Flag, held: &Flag) {
    let latest = &flag.times.updated_at;
    for segment in &mut flag.segments {
        let before = held.segments.iter().find(|it| it.id == segment.id);
        let (constraints, distributions) =
            before.map(|it| (&*it.constraints, &*it.distributions)).unwrap_or_default();
        for row in &mut segment.constraints {
            row.date(constraints, latest);
        }
        for row in &mut segment.distributions {
            row.date(distributions, latest);
        }
    }
    flag.segments.iter_mut().for_each(|it| it.date(&held.segments, latest));
    flag.variants.iter_mut().for_each(|it| it.date(&held.variants, latest));
    flag.tags.iter_mut().for_each(|it| it.date(&held.tags, latest));

    let unknown = Times::default().created_at;
    if flag.times.created_at == unknown {
        let known = Some(&held.times.created_at).filter(|it| **it != unknown);
        flag.times.created_at = known.unwrap_or(latest).clone();
    }
}

/// A row of Flagr's database.
trait Row: Clone + PartialEq {
    fn id(&self) -> u64;
    fn times(&mut self) -> &mut Times;
    /// The row without those that stand below it.
    fn alone(self) -> Self {
        self
    }

    /// Dates the row, where it has no dates, by the one of the same id.
    fn date(&mut self, held: &[Self], latest: &Timestamp) {
        if *self.times() != Times::default() {
            return;
        }
        *self.times() = match held.iter().find(|it| it.id() == self.id()) {
            Some(held) => {
                let mut held = held.clone().alone();
                let times = mem::take(held.times());
                let is_same = held == self.clone().alone();
                if is_same { times } else { Times { updated_at: latest.clone(), ..times } }
            }
            None => {
                Times { created_at: latest.clone(), updated_at: latest.clone(), deleted_at: None }
            }
        };
    }
}

impl Row for Segment {
    fn id(&self) -> u64 {
        self.id.0
    }

    fn times(&mut self) -> &mut Times {
        &mut self.times
    }

    fn alone(self) -> Self {
        Self { constraints: Vec::new(), distributions: Vec::new(), ..self }
    }
}

/// Rows with nothing below them.
macro_rules! leaves {
    ($($row:ty),*) => {$(
        impl Row for $row {
            fn id(&self) -> u64 {
                self.id.0
            }

            fn times(&mut self) -> &mut Times {
                &mut self.times
            }
        }
    )*};
}

leaves!(Constraint, Distribution, Variant, Tag);

#[cfg(test)]
mod tests;
