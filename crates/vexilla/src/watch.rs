//! What is told of single evaluations, beside the counts that are always kept: how often each flag is used, how long a
//! sample of them takes, and events.
//!
//! An evaluation reads no clock. The counters that are there anyway tell every 256th one of a kind and thread; that one is
//! then done once more, between two looks at the clock, out of the way of all others. So what is measured is the real
//! flag with the real context, its data being near; and the other 255 pay one comparison.

use std::sync::Arc;

use vexilla_domain::{Clock, Context, EvaluationRef, Observer};
use vexilla_eval::{CompiledFlag, Ruleset};
use vexilla_telemetry::{Entity, FlagCounts, Slot, flag_evaluated};

use crate::config::{Config, FlagEvents};
use crate::parts::Parts;

/// Who is told. There is none where nobody wants to know, which is one comparison for an evaluation.
#[derive(Debug)]
pub(crate) struct Watch {
    flags: Option<Arc<FlagCounts>>,
    events: FlagEvents,
    samples: Option<Samples>,
}

#[derive(Debug)]
struct Samples {
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
}

/// One of so many evaluations is measured. A power of two.
const EVERY: u64 = 256;

/// An evaluation that just ended.
#[derive(Clone, Copy)]
pub(crate) struct Evaluated<'a> {
    /// The flag, where there is one, by the rules that are held here.
    pub(crate) flag: Option<&'a CompiledFlag>,
    /// How it was asked for.
    pub(crate) key: &'a str,
    pub(crate) context: &'a Context,
    /// How many of its kind there were before.
    pub(crate) nth: u64,
}

impl Watch {
    pub(crate) fn of(parts: &Parts, config: &Config) -> Option<Self> {
        let samples = parts.observer.wants_samples().then(|| Samples {
            observer: Arc::clone(&parts.observer),
            clock: Arc::clone(&parts.clock),
        });
        let (flags, events) = (parts.flag_counts.clone(), config.flag_events);
        let wanted = flags.is_some() || samples.is_some() || events != FlagEvents::Off;
        wanted.then_some(Self { flags, events, samples })
    }

    /// Gives each flag its place among the counters, before anybody evaluates it.
    pub(crate) fn place(&self, rules: &Ruleset) {
        let Some(flags) = &self.flags else { return };
        for flag in rules.flags().filter(|it| it.tag() == Slot::default().number()) {
            flag.set_tag(flags.slot(&flag.head().key).number());
        }
    }

    /// An evaluation was done here.
    #[inline]
    pub(crate) fn evaluated(&self, it: Evaluated<'_>, evaluation: &EvaluationRef<'_>) {
        if let Some(flags) = &self.flags {
            flags.add(it.flag.map_or_else(Slot::default, |it| Slot::from_number(it.tag())));
        }
        if it.nth % EVERY == EVERY - 1 {
            self.measure(it);
        }
        if self.events != FlagEvents::Off {
            self.event(it.key, it.context.entity_id(), evaluation);
        }
    }

    /// Flagr did one. `slot` is the number of the flag's place.
    pub(crate) fn flagr_evaluated(
        &self,
        slot: u32,
        key: &str,
        entity: &str,
        evaluation: &EvaluationRef<'_>,
    ) {
        if let Some(flags) = &self.flags {
            flags.add(Slot::from_number(slot));
        }
        if self.events != FlagEvents::Off {
            self.event(key, entity, evaluation);
        }
    }

    #[cold]
    #[inline(never)]
    fn measure(&self, it: Evaluated<'_>) {
        let (Some(Samples { observer, clock }), Some(flag)) = (&self.samples, it.flag) else {
            return;
        };
        let started = clock.instant();
        let again = Ruleset::evaluate_flag(flag, it.context);
        let took = clock.instant().saturating_duration_since(started);
        std::hint::black_box(again.reason);
        observer.evaluation_sampled(took);
    }

    #[cold]
    #[inline(never)]
    fn event(&self, key: &str, entity: &str, evaluation: &EvaluationRef<'_>) {
        let entity = match self.events {
            FlagEvents::WithEntity => Entity::Shown(entity),
            FlagEvents::On | FlagEvents::Off => Entity::Hidden,
        };
        flag_evaluated(key, evaluation, entity);
    }
}
