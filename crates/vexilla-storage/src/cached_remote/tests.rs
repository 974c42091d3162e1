//! Flagr's answers are kept for as long as they are right, and asked for no oftener than needed.

mod fake;
mod kept;
mod outage;
mod stress;
mod together;

use std::sync::Arc;
use std::time::Duration;

use vexilla_domain::{Answer, Context, RemoteError, RemoteEvaluator, Source};

use self::fake::{Call, Fake};
use super::{CachedRemote, CachedRemoteConfig};
use crate::test_clock::TestClock;

/// A cached Flagr in a test's hands.
pub(super) struct Bench {
    cached: Arc<CachedRemote>,
    flagr: Arc<Fake>,
    clock: Arc<TestClock>,
}

pub(super) fn bench(change: impl FnOnce(&mut CachedRemoteConfig)) -> Bench {
    let (flagr, clock) = (Arc::new(Fake::default()), TestClock::new());
    let mut config = CachedRemoteConfig::default();
    change(&mut config);
    let cached = CachedRemote::new(Arc::clone(&flagr) as _, Arc::clone(&clock) as _, config);
    Bench { cached: Arc::new(cached.unwrap()), flagr, clock }
}

impl Bench {
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, RemoteError> {
        self.cached.evaluate(call.lend()).await
    }

    /// Who decided, and how often Flagr was asked by then.
    pub(super) async fn source(&self, call: &Call) -> (Source, usize) {
        let answer = self.ask(call).await.unwrap();
        assert_eq!(answer.evaluation.variant_key(), Some(&*fake::variant(call.lend())));
        (answer.evaluation.source, self.flagr.asked())
    }
}

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn call(entity: &str) -> Call {
    Call::new(Context::new(entity).with("country", "US"))
}
