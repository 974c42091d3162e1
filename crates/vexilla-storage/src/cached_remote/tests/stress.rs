//! Whatever stretto drops, every answer is the one that Flagr gives to that question.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use vexilla_domain::{Context, FlagId, FlagName, RemoteEvaluator};

use super::fake::{self, Call};
use super::{SECOND, bench, call};
use crate::CacheConfig;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_a_tiny_budget_every_answer_is_right() {
    let bench = bench(|it| it.cache = CacheConfig::with_budget(60_000));
    let mut all = JoinSet::new();
    for task in 1..=4_u64 {
        let (cached, clock) = (Arc::clone(&bench.cached), Arc::clone(&bench.clock));
        all.spawn(async move {
            let mut state = task;
            for step in 0..10_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let (entity, country) = ((state >> 33) % 200, (state >> 50) % 3);
                let context = Context::new(entity.to_string()).with("country", country.to_string());
                let call = Call::new(context).with(|it| it.snapshot_id = (state >> 55) % 2);
                let answer = cached.evaluate(call.lend()).await.unwrap();
                assert_eq!(answer.evaluation.variant_key(), Some(&*fake::variant(call.lend())));
                assert_eq!(*answer.entity_id, *call.context.entity_id());
                match step % 500 {
                    0 => clock.advance(SECOND),
                    250 => cached.forget(&FlagName { id: FlagId(7), key: "".into() }),
                    _ => {}
                }
            }
        });
    }
    all.join_all().await;
    bench.cached.stop().await;
    let stats = bench.cached.counts();
    assert_eq!(stats.hits + stats.misses, 40_000);
    assert!(0 < stats.hits && 0 < stats.evicted + stats.rejected, "{stats:?}");
}

/// A hit copies the answer and boxes the port's future; what was asked is not copied.
#[test]
fn a_hit_allocates_for_its_answer_only() {
    let bench = bench(|it| it.refresh_ahead = Duration::ZERO);
    let long = "x".repeat(10_000);
    let call = call("u1").with(|it| {
        it.flag_key = "k";
        it.context = Context::new("u1").with("bio", long.as_str()).with("list", vec!["a"; 1_000]);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        bench.ask(&call).await.unwrap();
        let evaluate = || {
            let mut asking = std::pin::pin!(bench.cached.evaluate(call.lend()));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(asking.as_mut().poll(&mut context).is_ready());
        };
        for _ in 0..200 {
            evaluate(); // what stretto allocates for each 64 reads is there
        }
        let least = (0..10).map(|_| allocation_counter::measure(evaluate).count_total).min();
        // The future, the flag's key, the variant's key, the entity's id.
        assert_eq!(least, Some(4));
    });
}
