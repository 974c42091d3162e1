//! Which segment of a flag a context gets to, asked without any rollout in the way.

use vexilla_domain::{
    Context, Distribution, Flag, FlagId, FlagRef, Object, Segment, Strictness, Value, VariantId,
};
use vexilla_eval::Ruleset;

/// A flag's segments, each as a flag of its own that is on for everybody who matches.
pub(crate) struct Probe {
    rules: Ruleset,
}

impl Probe {
    pub(crate) fn new(flag: &Flag) -> Self {
        let row =
            Distribution { variant_id: VariantId(1), percent: 100, ..Distribution::default() };
        let flags: Vec<Flag> = (1..)
            .zip(&flag.segments)
            .map(|(id, segment)| Flag {
                id: FlagId(id),
                enabled: true,
                segments: vec![Segment {
                    constraints: segment.constraints.clone(),
                    rollout_percent: 100,
                    distributions: vec![row.clone()],
                    ..Segment::default()
                }],
                ..Flag::default()
            })
            .collect();
        Self { rules: Ruleset::compile(&flags, Vec::new(), Strictness::AsStored, None).ruleset }
    }

    /// Whether the evaluation ends at the segment in this place.
    pub(crate) fn ends_at(&self, place: usize, attributes: &Object) -> bool {
        let attributes = Some(Value::Object(attributes.clone()));
        let ctx = Context::new("entity").with_attributes(attributes);
        let holds = |id: usize| {
            let id = u64::try_from(id).unwrap_or_default();
            let segment = self.rules.resolve(FlagRef { id, key: "" });
            segment.is_some_and(|it| Ruleset::evaluate_flag(it, &ctx).variant_id != VariantId(0))
        };
        holds(place + 1) && !(1..=place).any(holds)
    }
}
