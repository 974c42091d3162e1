//! Rules that hold for all input.

use proptest::prelude::*;
use vexilla_eval::Context;

use crate::rollouts::{flag_of, rules_of};

fn shares() -> impl Strategy<Value = Vec<(String, u64)>> {
    prop::collection::vec(0_u64..=100, 1..5)
        .prop_map(|percents| (0..).map(|number| format!("v{number}")).zip(percents).collect())
}

/// Flagr's rollout written from its specification in the plainest way, to hold the compiled table against.
fn plain(flag: u64, entity: &str, percent: u64, shares: &[(String, u64)]) -> Option<String> {
    let bucket = u64::from(crc32fast::hash(format!("{flag}{entity}").as_bytes())) % 1000;
    let mut low = 0;
    for (key, share) in shares {
        let high = low + 10 * share;
        if bucket < high {
            let inside =
                percent == 100 || 100 * (bucket - low) <= (high - low).saturating_sub(1) * percent;
            return (percent > 0 && inside).then(|| key.clone());
        }
        low = high;
    }
    None
}

proptest! {
    #[test]
    fn the_table_agrees_with_the_formula(
        flag in 1_u64..100_000, percent in 0_u64..=100, shares in shares(), entity in "\\PC{1,20}",
    ) {
        let rules = rules_of(flag_of(flag, percent, &shares));
        let ours = rules.evaluate("flag", &Context::new(entity.as_str())).variant_key().map(str::to_owned);
        prop_assert_eq!(ours, plain(flag, &entity, percent, &shares));
    }

    #[test]
    fn raising_a_rollout_takes_nobody_out(
        flag in 1_u64..1000, percent in 0_u64..100, shares in shares(), entity in "[a-z0-9]{1,12}",
    ) {
        let ctx = Context::new(entity);
        let (low, high) = (rules_of(flag_of(flag, percent, &shares)), rules_of(flag_of(flag, percent + 1, &shares)));
        if let Some(variant) = low.evaluate("flag", &ctx).variant_key() {
            prop_assert_eq!(high.evaluate("flag", &ctx).variant_key(), Some(variant));
        }
    }
}
