//! How do evaluations here compare with Unleash's evaluator on the same decisions?

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use vexilla_benches::{client, flags, ratio, rules, unleash};

/// Unleash's evaluator, with no strategy where nothing else is said.
const PEER: &str = "unleash-yggdrasil";

fn benches(c: &mut Criterion) {
    let (ctx, their_ctx) = (flags::context(), unleash::context());
    let (plain, split) =
        (rules(&flags::many(100, flags::PLAIN)), rules(&flags::many(100, flags::SPLIT)));
    let (client, _runtime) = client(flags::many(100, flags::PLAIN));
    let (local, handle) = (client.local(), client.flag("flag-0"));
    let no_strategy = unleash::engine(100, unleash::PLAIN);
    let two_constraints = unleash::engine(100, unleash::TWO_CONSTRAINTS);

    let ours_plain = || {
        assert_eq!(plain.evaluate(black_box("flag-0"), black_box(&ctx)).variant_key(), Some("on"));
    };
    let ours_local = || {
        local.evaluate_with(black_box("flag-0"), black_box(&ctx), |it| {
            assert_eq!(it.variant_key(), Some("on"));
        });
    };
    let ours_handle =
        || handle.evaluate_with(black_box(&ctx), |it| assert_eq!(it.variant_key(), Some("on")));
    let ours_split = || {
        assert_eq!(split.evaluate(black_box("flag-0"), black_box(&ctx)).variant_key(), Some("on"));
    };
    let their_plain =
        || assert!(no_strategy.is_enabled(black_box("flag-0"), black_box(&their_ctx), &None));
    let their_two =
        || assert!(two_constraints.is_enabled(black_box("flag-0"), black_box(&their_ctx), &None));

    let mut group = c.benchmark_group("no constraint");
    group.bench_function("vexilla Ruleset::evaluate", |b| b.iter(ours_plain));
    group.bench_function("vexilla client.flag(key)", |b| b.iter(ours_handle));
    group.bench_function("vexilla client.local()", |b| b.iter(ours_local));
    group.bench_function("unleash-yggdrasil is_enabled", |b| b.iter(their_plain));
    group.finish();
    let mut group = c.benchmark_group("two constraints");
    group.bench_function("vexilla, and a split", |b| b.iter(ours_split));
    group.bench_function("unleash-yggdrasil, no split", |b| b.iter(their_two));
    group.finish();

    ratio::report("Ruleset::evaluate, no constraint, 100 %", PEER, 1.0, ours_plain, their_plain);
    ratio::report("client.flag(key), the same", PEER, 1.0, ours_handle, their_plain);
    ratio::report("client.local() by key, the same", PEER, 1.3, ours_local, their_plain);
    ratio::report(
        "two EQ constraints and a 50/50 split",
        "unleash-yggdrasil, two constraints, no split",
        1.0,
        ours_split,
        their_two,
    );

    let (few, many) =
        (rules(&flags::many(10, flags::SPLIT)), rules(&flags::many(10_000, flags::SPLIT)));
    let keys = |step: usize| (0..10).map(|n| format!("flag-{}", n * step)).collect::<Vec<_>>();
    let (few_keys, many_keys) = (keys(1), keys(1000));
    ratio::report(
        "ten flags in use of 10,000",
        "ten of ten",
        1.2,
        || {
            for key in &many_keys {
                assert!(many.evaluate(black_box(key), black_box(&ctx)).variant.is_some());
            }
        },
        || {
            for key in &few_keys {
                assert!(few.evaluate(black_box(key), black_box(&ctx)).variant.is_some());
            }
        },
    );
    // Every flag once in a while: what is left is memory, and the peer shows how much of it there is to win.
    let peer = unleash::engine(10_000, unleash::TWO_CONSTRAINTS);
    let all: Vec<String> = (0..10_000).map(|n| format!("flag-{}", n * 7919 % 10_000)).collect();
    let (mut ours, mut theirs) = (all.iter().cycle(), all.iter().cycle());
    ratio::report(
        "all of 10,000 flags in any order",
        PEER,
        1.0,
        || {
            assert!(ours.next().is_some_and(|key| {
                many.evaluate(black_box(key), black_box(&ctx)).variant.is_some()
            }));
        },
        || {
            assert!(theirs.next().is_some_and(|key| peer.is_enabled(
                black_box(key),
                black_box(&their_ctx),
                &None
            )));
        },
    );
}

criterion_group!(all, benches);
criterion_main!(all);
