//! How long is one evaluation, by how it is asked for and how many flags there are?

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vexilla_benches::{client, flags, rules};

fn by_shape(c: &mut Criterion) {
    let mut group = c.benchmark_group("Ruleset::evaluate");
    let ctx = flags::context();
    for (name, segment) in
        [("plain", flags::PLAIN), ("targeted", flags::TARGETED), ("split", flags::SPLIT)]
    {
        let rules = rules(&flags::many(100, segment));
        group.bench_function(name, |b| {
            b.iter(|| {
                let it = rules.evaluate(black_box("flag-0"), black_box(&ctx));
                assert_eq!(it.variant_key(), Some("on"));
                it.variant_id
            });
        });
    }
}

fn by_access(c: &mut Criterion) {
    let mut group = c.benchmark_group("client");
    let ctx = flags::context();
    let (client, _runtime) = client(flags::many(100, flags::PLAIN));
    let (local, handle) = (client.local(), client.flag("flag-0"));
    group.bench_function("local().bool", |b| {
        b.iter(|| assert!(local.bool(black_box("flag-0"), black_box(&ctx), false)));
    });
    group.bench_function("flag(key).bool", |b| {
        b.iter(|| assert!(handle.bool(black_box(&ctx), false)));
    });
    group.bench_function("local().evaluate, owned", |b| {
        b.iter(|| {
            let it = local.evaluate(black_box("flag-0"), black_box(&ctx));
            assert_eq!(it.variant_key(), Some("on"));
            it
        });
    });
}

fn by_count(c: &mut Criterion) {
    let mut group = c.benchmark_group("flags");
    let ctx = flags::context();
    for count in [10, 1_000, 10_000] {
        let rules = rules(&flags::many(count, flags::SPLIT));
        // The ten flags that a service asks for again and again, among however many there are.
        let keys: Vec<String> = (0..10).map(|n| format!("flag-{}", n * count / 10)).collect();
        group.bench_with_input(BenchmarkId::new("ten in use of", count), &keys, |b, keys| {
            b.iter(|| {
                for key in keys {
                    assert!(rules.evaluate(black_box(key), black_box(&ctx)).variant.is_some());
                }
            });
        });
        let keys: Vec<String> = (0..count).map(|n| format!("flag-{}", n * 7919 % count)).collect();
        let mut next = keys.iter().cycle();
        group.bench_function(BenchmarkId::new("all in use, in any order, of", count), |b| {
            b.iter(|| {
                let key = next.next().unwrap();
                assert!(rules.evaluate(black_box(key), black_box(&ctx)).variant.is_some());
            });
        });
    }
}

criterion_group!(benches, by_shape, by_access, by_count);
criterion_main!(benches);
