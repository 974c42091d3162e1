//! A local evaluation allocates nothing, however it is asked for.

use std::task::Poll;

use vexilla::Client;
use vexilla_benches::{client, flags, rules, shown_client};

/// How many allocations the work makes, once it has run before.
fn allocations(mut work: impl FnMut()) -> u64 {
    work();
    allocation_counter::measure(work).count_total
}

#[test]
fn evaluations_allocate_nothing() {
    let ctx = flags::context();
    for segment in [flags::PLAIN, flags::TARGETED, flags::SPLIT] {
        let rules = rules(&flags::many(100, segment));
        let count = allocations(|| {
            assert_eq!(rules.evaluate("flag-0", &ctx).variant_key(), Some("on"));
            assert!(rules.evaluate("no-such-flag", &ctx).variant.is_none());
        });
        assert_eq!(count, 0, "{segment}");
    }
}

#[test]
fn a_clients_calls_allocate_nothing() {
    let (client, runtime) = client(flags::many(100, flags::SPLIT));
    calls_allocate_nothing(&client, &runtime);
}

#[test]
fn the_calls_of_a_client_that_is_shown_allocate_nothing() {
    let (client, runtime) = shown_client(flags::many(100, flags::SPLIT));
    calls_allocate_nothing(&client, &runtime);
    // Enough for several of them to be measured.
    let (ctx, handle) = (flags::context(), client.flag("flag-0"));
    let count = allocations(|| (0..2_000).for_each(|_| assert!(handle.bool(&ctx, false))));
    assert_eq!(count, 0);
}

fn calls_allocate_nothing(client: &Client, runtime: &tokio::runtime::Runtime) {
    let ctx = flags::context();
    let (local, handle) = (client.local(), client.flag("flag-0"));
    let calls: [(&str, &dyn Fn()); 6] = [
        ("local().evaluate_with", &|| {
            local.evaluate_with("flag-0", &ctx, |it| assert_eq!(it.variant_key(), Some("on")));
        }),
        ("local().bool", &|| assert!(local.bool("flag-0", &ctx, false))),
        ("local().int", &|| assert_eq!(local.int("flag-0", &ctx, 7), 7)),
        ("local().float", &|| assert!(local.float("flag-0", &ctx, 7.0) > 6.0)),
        ("flag(key).bool", &|| assert!(handle.bool(&ctx, false))),
        ("flag(key).evaluate_with", &|| {
            handle.evaluate_with(&ctx, |it| assert_eq!(it.variant_key(), Some("on")));
        }),
    ];
    for (name, call) in calls {
        assert_eq!(allocations(call), 0, "{name}");
    }
    runtime.block_on(async {
        assert!(client.bool("flag-0", &ctx, false).await);
        let mut future = std::pin::pin!(client.bool("flag-0", &ctx, false));
        let count = allocation_counter::measure(|| {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(matches!(future.as_mut().poll(&mut cx), Poll::Ready(true)), "ready at once");
        });
        assert_eq!(count.count_total, 0, "bool().await");
    });
}

#[test]
fn an_anonymous_entity_allocates_nothing() {
    let ctx = vexilla::Context::new("").with("country", "US").with("tier", "gold");
    let rules = rules(&flags::many(1, flags::SPLIT));
    assert_eq!(allocations(|| assert!(rules.evaluate("flag-0", &ctx).variant.is_some())), 0);
}
