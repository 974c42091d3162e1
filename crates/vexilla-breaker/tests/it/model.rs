//! Random histories, against a model that is written another way: it knows which permits still have a say.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use vexilla_breaker::{Breaker, BreakerConfig, Permit, State};

#[derive(Debug, Clone, Copy)]
enum Step {
    Advance(u64),
    Admit,
    Succeed(usize),
    Fail(usize),
    Drop(usize),
}

const THRESHOLD: usize = 2;
const OPEN_FOR: u64 = 30;
const LIMIT: u64 = 10;

/// Times in seconds, permits by number.
#[derive(Debug, Default)]
struct Model {
    failures: usize,
    /// Nobody is admitted before.
    blocked_until: Option<u64>,
    /// When the probe was admitted.
    probe: Option<u64>,
    /// The permits whose results count.
    heard: BTreeSet<usize>,
    opened: u64,
    rejected: u64,
}

impl Model {
    fn advance(&mut self, now: u64) {
        if let Some(admitted) = self.probe.filter(|admitted| admitted + LIMIT <= now) {
            self.block(admitted + LIMIT);
        }
    }

    fn admit(&mut self, permit: usize, now: u64) -> Result<(), u64> {
        let until = self.probe.map(|admitted| admitted + LIMIT).or(self.blocked_until);
        if let Some(wait) = until.and_then(|until| until.checked_sub(now)).filter(|it| *it > 0) {
            self.rejected += 1;
            return Err(wait);
        }
        if self.blocked_until.take().is_some() {
            self.probe = Some(now);
        }
        self.heard.insert(permit);
        Ok(())
    }

    fn succeed(&mut self, permit: usize) {
        if self.heard.remove(&permit) {
            self.failures = 0;
            self.probe = None;
        }
    }

    fn fail(&mut self, permit: usize, now: u64) {
        if self.heard.remove(&permit) {
            self.failures += 1;
            if self.probe.is_some() || THRESHOLD <= self.failures {
                self.block(now);
            }
        }
    }

    fn drop(&mut self, permit: usize) {
        if self.heard.remove(&permit)
            && let Some(admitted) = self.probe
        {
            self.block(admitted);
        }
    }

    fn block(&mut self, from: u64) {
        *self = Self {
            blocked_until: Some(from + OPEN_FOR),
            opened: self.opened + 1,
            rejected: self.rejected,
            ..Self::default()
        };
    }

    fn state(&self) -> State {
        match (self.probe, self.blocked_until) {
            (Some(_), _) => State::HalfOpen,
            (None, Some(_)) => State::Open,
            (None, None) => State::Closed,
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop_oneof![0_u64..3, Just(9), Just(10), Just(29), Just(30), 0_u64..50].prop_map(Step::Advance),
        4 => Just(Step::Admit),
        1 => any::<usize>().prop_map(Step::Succeed),
        3 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Drop),
    ]
}

struct World {
    breaker: Breaker,
    model: Model,
    start: Instant,
    now: u64,
    admissions: usize,
    out: Vec<(usize, Permit)>,
}

impl World {
    fn new() -> Self {
        let mut config = BreakerConfig::default();
        config.failure_threshold = u32::try_from(THRESHOLD).unwrap();
        config.open_for = Duration::from_secs(OPEN_FOR);
        config.half_open_limit = Duration::from_secs(LIMIT);
        Self {
            breaker: Breaker::new(config).unwrap(),
            model: Model::default(),
            start: crate::start(),
            now: 0,
            admissions: 0,
            out: Vec::new(),
        }
    }

    fn take(&mut self, index: usize) -> Option<(usize, Permit)> {
        let index = index.checked_rem(self.out.len())?;
        Some(self.out.remove(index))
    }

    fn play(&mut self, step: Step) -> Result<(), TestCaseError> {
        if let Step::Advance(seconds) = step {
            self.now += seconds;
            self.model.advance(self.now);
        }
        let now = self.start + Duration::from_secs(self.now);
        match step {
            Step::Advance(_) => {}
            Step::Admit => {
                let number = self.admissions;
                self.admissions += 1;
                let admitted = self.breaker.admit(now);
                let wait = admitted.as_ref().map(|_| ()).map_err(|it| it.retry_after().as_secs());
                prop_assert_eq!(wait, self.model.admit(number, self.now));
                self.out.extend(admitted.ok().map(|permit| (number, permit)));
            }
            Step::Succeed(index) => {
                if let Some((number, permit)) = self.take(index) {
                    permit.succeeded(now);
                    self.model.succeed(number);
                }
            }
            Step::Fail(index) => {
                if let Some((number, permit)) = self.take(index) {
                    permit.failed(now);
                    self.model.fail(number, self.now);
                }
            }
            Step::Drop(index) => {
                if let Some((number, permit)) = self.take(index) {
                    // Only a time can tell that a probe has lapsed; whoever has one comes first here.
                    self.breaker.state(now);
                    drop(permit);
                    self.model.drop(number);
                }
            }
        }
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let now = self.start + Duration::from_secs(self.now);
        prop_assert_eq!(self.breaker.state(now), self.model.state());
        let counts = self.breaker.counts();
        prop_assert_eq!((counts.opened, counts.rejected), (self.model.opened, self.model.rejected));
        Ok(())
    }
}

proptest! {
    #[test]
    fn does_what_the_model_does(steps in vec(step(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            world.play(step)?;
            world.compare()?;
        }
    }

    /// Looking at the state changes nothing: the same history gives the same answers without it.
    #[test]
    fn looking_changes_nothing(steps in vec(step(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            world.play(step)?;
        }
        world.compare()?;
    }
}
