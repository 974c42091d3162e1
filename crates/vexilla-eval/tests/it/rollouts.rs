//! Every recorded rollout.

use serde::Deserialize;
use vexilla_domain::{
    Distribution, Flag, FlagId, Segment, SegmentId, Strictness, Variant, VariantId,
};
use vexilla_eval::{Context, Reason, Ruleset};

use crate::recorded;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "flagID")]
    flag_id: u64,
    rollout_percent: u64,
    distributions: Vec<(String, u64)>,
    entities: Vec<(String, Option<String>)>,
}

/// A flag with one segment for everybody and these shares, in order.
pub(crate) fn flag_of(id: u64, rollout_percent: u64, shares: &[(String, u64)]) -> Flag {
    let numbered = || (1..).map(VariantId).zip(shares);
    let variants = numbered().map(|(id, (key, _))| Variant {
        id,
        key: key.as_str().into(),
        ..Variant::default()
    });
    let distributions = numbered().map(|(variant_id, (key, percent))| Distribution {
        variant_id,
        variant_key: key.as_str().into(),
        percent: *percent,
        ..Distribution::default()
    });
    Flag {
        id: FlagId(id),
        key: "flag".into(),
        enabled: true,
        variants: variants.collect(),
        segments: vec![Segment {
            id: SegmentId(1),
            rollout_percent,
            distributions: distributions.collect(),
            ..Segment::default()
        }],
        ..Flag::default()
    }
}

pub(crate) fn rules_of(flag: Flag) -> Ruleset {
    Ruleset::compile(&[flag], Vec::new(), Strictness::AsStored, None).ruleset
}

#[test]
fn every_recorded_entity_gets_its_variant() {
    let mut count = 0;
    for line in recorded("rollouts.jsonl").lines() {
        let mut line: Line = serde_json::from_str(line).unwrap();
        // Flagr stores rows and reads them back in the order of their variants.
        line.distributions
            .sort_by_key(|(key, _)| key.trim_start_matches('v').parse::<u32>().unwrap());
        let rules = rules_of(flag_of(line.flag_id, line.rollout_percent, &line.distributions));
        for (entity, variant) in line.entities {
            let evaluation = rules.evaluate("flag", &Context::new(entity.as_str()));
            assert_eq!(
                evaluation.variant_key(),
                variant.as_deref(),
                "{} {} {entity}",
                line.flag_id,
                line.rollout_percent
            );
            if variant.is_none() {
                assert_eq!(evaluation.reason, Reason::Holdout);
            }
            count += 1;
        }
    }
    assert_eq!(count, 4_799);
}
