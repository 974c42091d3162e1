//! Flags around a condition.

use vexilla_domain::{
    Constraint, Distribution, Flag, FlagId, Segment, SegmentId, Variant, VariantId,
};

/// A flag with one segment of these constraints, everybody in.
pub(crate) fn flag_of(constraints: &[(String, String, String)]) -> Flag {
    let constraints = constraints.iter().map(|(property, operator, value)| Constraint {
        property: property.as_str().into(),
        operator: operator.as_str().into(),
        value: value.as_str().into(),
        ..Constraint::default()
    });
    let distribution =
        Distribution { variant_id: VariantId(1), percent: 100, ..Distribution::default() };
    Flag {
        id: FlagId(1),
        key: "flag".into(),
        enabled: true,
        variants: vec![Variant { id: VariantId(1), key: "on".into(), ..Variant::default() }],
        segments: vec![Segment {
            id: SegmentId(1),
            rollout_percent: 100,
            constraints: constraints.collect(),
            distributions: vec![distribution],
            ..Segment::default()
        }],
        ..Flag::default()
    }
}
