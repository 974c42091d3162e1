//! How many allocations does an evaluation make? `benches/tests/allocations.rs` holds the same to it in the tests.

use vexilla_benches::row::Row;
use vexilla_benches::{client, flags, rules};

const EVALUATIONS: u32 = 1_000;

fn report(work: &str, mut evaluate: impl FnMut()) {
    evaluate();
    let counted = allocation_counter::measure(|| (0..EVALUATIONS).for_each(|_| evaluate()));
    let each = f64::from(u32::try_from(counted.count_total).unwrap_or(u32::MAX));
    Row::new(work, "allocations", each / f64::from(EVALUATIONS)).at_most(0.0).report();
}

fn main() {
    let ctx = flags::context();
    let (plain, split) =
        (rules(&flags::many(100, flags::PLAIN)), rules(&flags::many(100, flags::SPLIT)));
    let (client, _runtime) = client(flags::many(100, flags::SPLIT));
    let (local, handle) = (client.local(), client.flag("flag-0"));
    report("allocations of Ruleset::evaluate, no constraint, 100 %", || {
        assert_eq!(plain.evaluate("flag-0", &ctx).variant_key(), Some("on"));
    });
    report("allocations of Ruleset::evaluate, two EQ and a split", || {
        assert_eq!(split.evaluate("flag-0", &ctx).variant_key(), Some("on"));
    });
    report("allocations of client.local() by key", || {
        local.evaluate_with("flag-0", &ctx, |it| assert_eq!(it.variant_key(), Some("on")));
    });
    report("allocations of client.flag(key)", || {
        handle.evaluate_with(&ctx, |it| assert_eq!(it.variant_key(), Some("on")));
    });
}
