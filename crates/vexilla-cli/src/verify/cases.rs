//! Contexts for one flag, made of its own constraints.

use std::collections::BTreeSet;

use fastrand::Rng;
use vexilla_domain::{Constraint, Context, Flag, Object, Value};

use super::buckets::{self, Entities};
use super::literals::Literals;
use super::place::Place;
use super::probe::Probe;
use super::values::{Candidate, candidates};

/// How often values are drawn anew until a segment matches.
const DRAWS: usize = 12;

/// Makes contexts for a flag, without end.
pub(crate) struct Cases {
    probe: Probe,
    /// For each segment the places that its constraints read, and what may stand there.
    segments: Vec<Vec<Slot>>,
    edges: Vec<u32>,
    entities: Entities,
    /// The single slots and candidates that are still to be gone through one by one.
    sweep: Vec<(usize, usize, usize)>,
    made: u64,
    /// How many buckets were taken in turn.
    walked: u64,
    rng: Rng,
}

struct Slot {
    place: Place,
    candidates: Vec<Candidate>,
}

impl Cases {
    pub(crate) fn new(flag: &Flag, seed: u64) -> Self {
        // Each flag has its own numbers, so that it gets the same cases whatever other flags there are.
        let mut rng = Rng::with_seed(seed ^ flag.id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let segments: Vec<Vec<Slot>> = flag
            .segments
            .iter()
            .map(|segment| segment.constraints.iter().flat_map(|it| slots(it, &mut rng)).collect())
            .collect();
        let mut sweep: Vec<_> = segments
            .iter()
            .enumerate()
            .flat_map(|(segment, slots)| slots.iter().enumerate().map(move |it| (segment, it)))
            .flat_map(|(segment, (slot, it))| {
                (0..it.candidates.len()).map(move |candidate| (segment, slot, candidate))
            })
            .collect();
        rng.shuffle(&mut sweep);
        let entities = Entities::find(flag.id, &mut rng);
        Self {
            probe: Probe::new(flag),
            segments,
            edges: buckets::edges(flag),
            entities,
            sweep,
            made: 0,
            walked: 0,
            rng,
        }
    }

    /// The next context.
    pub(crate) fn make(&mut self) -> Context {
        let attributes = match self.sweep.pop() {
            Some((segment, slot, candidate)) => {
                let mut object = self.matching(segment);
                let chosen = self.segments.get(segment).and_then(|slots| slots.get(slot));
                if let Some((slot, value)) =
                    chosen.and_then(|slot| Some((slot, slot.candidates.get(candidate)?)))
                {
                    set(&mut object, &slot.place, value.as_ref());
                }
                Some(Value::Object(object))
            }
            None => self.random(),
        };
        Context::new(self.entity()).with_attributes(attributes)
    }

    /// Buckets in turn, so that all are met; the edges of ranges more often.
    fn entity(&mut self) -> String {
        self.made += 1;
        match self.made % 8 {
            0 | 4 => {
                let edge = self.rng.choice(&self.edges).copied().unwrap_or_default();
                self.entities.of(edge)
            }
            1 => buckets::odd_entity(&mut self.rng),
            // 617 and 1000 have no common divisor: a thousand steps meet each bucket once.
            _ => {
                self.walked += 1;
                self.entities.of(u32::try_from(self.walked * 617 % 1000).unwrap_or_default())
            }
        }
    }

    fn random(&mut self) -> Option<Value> {
        match self.rng.u8(..) {
            0..3 => None,
            3..6 => Some(Value::from("no object")),
            6..9 => Some(Value::Object(Object::new())),
            kind => {
                let segment = self.rng.usize(0..=self.segments.len().saturating_sub(1));
                let mut object = if kind < 64 { Object::new() } else { self.matching(segment) };
                // Some members are then something else, of this segment or of another.
                for _ in 0..self.rng.usize(0..3) {
                    self.disturb(&mut object);
                }
                Some(Value::Object(object))
            }
        }
    }

    /// A context in which the segment matches, if one turns up soon.
    fn matching(&mut self, segment: usize) -> Object {
        let mut object = Object::new();
        for _ in 0..DRAWS {
            object = Object::new();
            for slot in self.segments.get(segment).into_iter().flatten() {
                // What speaks of the value comes first.
                let most = slot.candidates.len().saturating_sub(1);
                let place = self.rng.usize(0..=most).min(self.rng.usize(0..=most));
                let value = slot.candidates.get(place).and_then(Option::as_ref);
                set(&mut object, &slot.place, value);
            }
            if self.probe.ends_at(segment, &object) {
                break;
            }
        }
        object
    }

    fn disturb(&mut self, object: &mut Object) {
        let Some(slots) = self.rng.choice(&self.segments) else { return };
        let Some(slot) = self.rng.choice(slots) else { return };
        let value = self.rng.choice(&slot.candidates).and_then(Option::as_ref);
        match slot.place.other_form() {
            Some(other) if self.rng.u8(..) < 64 => set(object, &other, value),
            _ => set(object, &slot.place, value),
        }
    }
}

/// The places that a constraint reads: its property, and variables within its value.
fn slots(constraint: &Constraint, rng: &mut Rng) -> Vec<Slot> {
    let candidates = candidates(constraint, rng);
    let inner = Literals::find(&constraint.value).properties;
    let mut seen = BTreeSet::new();
    std::iter::once(constraint.property.clone())
        .chain(inner)
        .filter(|property| seen.insert(property.clone()))
        .map(|property| Slot { place: Place::of(&property), candidates: candidates.clone() })
        .collect()
}

/// Sets the place to a value; without one it is missing.
fn set(object: &mut Object, place: &Place, value: Option<&Value>) {
    match value {
        Some(value) => place.put(object, value),
        None => {
            let kept = object.iter().filter(|(name, _)| *name != place.root());
            *object = kept.map(|(name, value)| (name.into(), value.clone())).collect();
        }
    }
}
