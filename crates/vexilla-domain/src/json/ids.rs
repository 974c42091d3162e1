//! Ids that a hand-written document leaves out, given the way Flagr gives them: the flag's id is the bucketing salt, so
//! any other numbering would move entities between variants.

use std::collections::HashMap;

use crate::{Flag, VariantId};

/// The next number of one type of object: one more than the largest given anywhere in the document.
struct Next(u64);

impl Next {
    fn after(given: impl Iterator<Item = u64>) -> Self {
        Self(given.max().unwrap_or(0).saturating_add(1))
    }

    fn number(&mut self, id: &mut u64) {
        if *id == 0 {
            *id = self.0;
            self.0 = self.0.saturating_add(1);
        }
    }
}

/// Numbers every object without an id and links distributions to variants by key (`flagr-semantics` 2.5).
pub(super) fn normalise(flags: &mut [Flag]) {
    let segments = || flags.iter().flat_map(|it| &it.segments);
    let mut next_flag = Next::after(flags.iter().map(|it| it.id.0));
    let mut next_variant = Next::after(flags.iter().flat_map(|it| &it.variants).map(|it| it.id.0));
    let mut next_segment = Next::after(segments().map(|it| it.id.0));
    let mut next_constraint =
        Next::after(segments().flat_map(|it| &it.constraints).map(|it| it.id.0));
    let mut next_distribution =
        Next::after(segments().flat_map(|it| &it.distributions).map(|it| it.id.0));
    let mut next_tag = Next::after(flags.iter().flat_map(|it| &it.tags).map(|it| it.id.0));

    for flag in flags {
        next_flag.number(&mut flag.id.0);
        for variant in &mut flag.variants {
            next_variant.number(&mut variant.id.0);
        }
        for segment in &mut flag.segments {
            next_segment.number(&mut segment.id.0);
            for constraint in &mut segment.constraints {
                next_constraint.number(&mut constraint.id.0);
            }
            for distribution in &mut segment.distributions {
                next_distribution.number(&mut distribution.id.0);
            }
        }
        for tag in &mut flag.tags {
            next_tag.number(&mut tag.id.0);
        }
        link(flag);
    }
}

/// Whether nothing in the flag is without an id.
pub(super) fn is_numbered(flag: &Flag) -> bool {
    let segments = || flag.segments.iter();
    flag.id.0 != 0
        && flag.variants.iter().all(|it| it.id.0 != 0)
        && flag.tags.iter().all(|it| it.id.0 != 0)
        && segments().all(|it| it.id.0 != 0)
        && segments().flat_map(|it| &it.constraints).all(|it| it.id.0 != 0)
        && segments().flat_map(|it| &it.distributions).all(|it| it.id.0 != 0)
}

/// Gives each distribution without a variant id that of the first variant with its key.
pub(super) fn link(flag: &mut Flag) {
    let unlinked =
        |it: &&mut crate::Distribution| it.variant_id == VariantId(0) && !it.variant_key.is_empty();
    let mut distributions =
        flag.segments.iter_mut().flat_map(|it| &mut it.distributions).filter(unlinked).peekable();
    if distributions.peek().is_none() {
        return;
    }
    let mut by_key: HashMap<&str, VariantId> = HashMap::with_capacity(flag.variants.len());
    for variant in &flag.variants {
        by_key.entry(&variant.key).or_insert(variant.id);
    }
    for distribution in distributions {
        distribution.variant_id =
            by_key.get(&*distribution.variant_key).copied().unwrap_or_default();
    }
}
