//! What Flagr checks of a flag when it loads a file, but for the conditions.

use std::collections::HashSet;

use vexilla_domain::{Flag, Segment};

use crate::report::Report;

/// Reports what Flagr would (`flagr-semantics` 2.6).
pub(crate) fn check(flag: &Flag, report: &mut Report<'_>) {
    if flag.key.is_empty() {
        report.error("key".to_owned(), "the key is empty");
    }
    if flag.variants.is_empty() {
        report.warning("variants".to_owned(), "there are no variants");
    }
    if flag.segments.is_empty() {
        report.warning("segments".to_owned(), "there are no segments");
    }
    let mut keys = HashSet::new();
    for (index, variant) in flag.variants.iter().enumerate() {
        if variant.key.is_empty() {
            report.error(format!("variants[{index}].key"), "the key is empty");
        } else if !keys.insert(&*variant.key) {
            let message = format!("another variant has the key `{}`", variant.key);
            report.error(format!("variants[{index}].key"), message);
        }
    }
    for (index, segment) in flag.segments.iter().enumerate() {
        check_rollout(&keys, segment, index, report);
    }
}

fn check_rollout(
    variants: &HashSet<&str>,
    segment: &Segment,
    index: usize,
    report: &mut Report<'_>,
) {
    if segment.rollout_percent > 100 {
        let message = format!("{} is above 100", segment.rollout_percent);
        report.error(format!("segments[{index}].rolloutPercent"), message);
    }
    if segment.distributions.is_empty() {
        report.warning(format!("segments[{index}].distributions"), "there are no distributions");
        return;
    }
    let sum = segment.distributions.iter().fold(0_u64, |sum, it| sum.saturating_add(it.percent));
    if sum != 100 {
        report.error(
            format!("segments[{index}].distributions"),
            format!("the percents sum to {sum}, not to 100"),
        );
    }
    for (row, it) in segment.distributions.iter().enumerate() {
        let path = format!("segments[{index}].distributions[{row}]");
        if it.percent > 100 {
            report.error(format!("{path}.percent"), format!("{} is above 100", it.percent));
        }
        if it.variant_key.is_empty() {
            if it.variant_id.0 == 0 {
                report.error(path, "there is neither a variant key nor a variant id");
            }
        } else if !variants.contains(&*it.variant_key) {
            report.error(
                format!("{path}.variantKey"),
                format!("the flag has no variant `{}`", it.variant_key),
            );
        }
    }
}
