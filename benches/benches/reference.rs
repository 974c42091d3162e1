//! The tables of the design that Vexilla starts from: what storage costs, evaluation by number of constraints, who decides
//! a flag, and what a filter saves.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vexilla_benches::row::Row;
use vexilla_benches::{client_with, flags, rules};
use vexilla_domain::{Context, Flag, Strategy, Tag};
use vexilla_storage::{BoundedCache, CacheConfig};

const COUNT: usize = 1_000;

/// The published rules, which are what the reference keeps in its cache: get, set one, set all, list.
fn rules_in_memory(c: &mut Criterion) {
    let mut group = c.benchmark_group("rules of 1,000 flags");
    let mut flags = flags::many(COUNT, flags::TARGETED);
    let published = rules(&flags);
    group.bench_function("get", |b| {
        b.iter(|| assert!(published.find(black_box("flag-7")).is_some()));
    });
    group.bench_function("list", |b| {
        b.iter(|| assert_eq!(published.flags().filter(|it| it.head().id.0 > 0).count(), COUNT));
    });
    group.bench_function("set all", |b| b.iter_with_large_drop(|| rules(black_box(&flags))));
    flags.first_mut().unwrap().notes = "changed".into();
    group.bench_function("set one", |b| {
        b.iter_with_large_drop(|| {
            let next = vexilla_eval::Ruleset::compile(
                black_box(&flags),
                Vec::new(),
                vexilla_domain::Strictness::Checked,
                Some(&published),
            );
            assert_eq!(next.reused, COUNT - 1);
            next
        });
    });
}

/// The cache that may forget: what stands for Ristretto.
fn bounded_cache(c: &mut Criterion) {
    let mut group = c.benchmark_group("bounded cache");
    let config = CacheConfig::with_budget(16 << 20).with_default_ttl(None);
    let cache: BoundedCache<u64, u64> = BoundedCache::new(&config, |_, _| 0).unwrap();
    cache.insert_all((0..10_000).map(|n| (n, n)));
    cache.settle();
    let (mut get, mut set) = (0, 0);
    group.bench_function("get", |b| {
        b.iter(|| {
            get = (get + 7_919) % 10_000;
            // One that stretto dropped is not there, and never another one.
            assert!(cache.get(black_box(&get)).is_none_or(|it| it == get));
        });
    });
    group.bench_function("set", |b| {
        b.iter(|| {
            set = (set + 7_919) % 10_000;
            cache.insert(black_box(set), set);
        });
    });
    cache.settle();
    assert!(cache.counts().hits > 0);
}

/// A segment with so many constraints, all of which hold.
fn constrained(count: usize) -> Flag {
    let constraint =
        |n: usize| format!(r#"{{"Property":"p{n}","Operator":"EQ","Value":"\"{n}\""}}"#);
    let constraints: Vec<String> = (0..count).map(constraint).collect();
    let segment = format!(
        r#"{{"RolloutPercent":100,"Constraints":[{}],"Distributions":[{{"VariantKey":"on","Percent":100}}]}}"#,
        constraints.join(",")
    );
    flags::many(1, &segment).remove(0)
}

fn by_constraints(c: &mut Criterion) {
    let mut group = c.benchmark_group("constraints");
    for count in [0, 1, 2, 5, 10, 20] {
        let rules = rules(&[constrained(count)]);
        let ctx = (0..count)
            .fold(Context::new("ana"), |ctx, n| ctx.with(&format!("p{n}"), n.to_string()));
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| {
                let it = rules.evaluate(black_box("flag-0"), black_box(&ctx));
                assert_eq!(it.variant_key(), Some("on"));
            });
        });
    }
}

fn strategy(c: &mut Criterion) {
    let mut group = c.benchmark_group("strategy of a flag");
    for (name, segment, strategy) in
        [("local", flags::TARGETED, Strategy::Local), ("remote", flags::SPLIT, Strategy::Remote)]
    {
        let flag = flags::many(1, segment).remove(0);
        group
            .bench_function(name, |b| b.iter(|| assert_eq!(black_box(&flag).strategy(), strategy)));
    }
}

/// 10,000 flags, of which 500 are of this service.
fn savings(_: &mut Criterion) {
    let mut flags = flags::many(10_000, flags::TARGETED);
    for (at, flag) in flags.iter_mut().enumerate() {
        let tag = if at % 20 == 0 { "payments" } else { "others" };
        flag.tags.push(Tag { value: tag.into(), ..Tag::default() });
    }
    let mut config = vexilla::Config::default();
    config.filter = vexilla::FlagFilter::default()
        .with_additional_tags(["payments"], vexilla::TagsOperator::Any);
    config.initial_timeout = Duration::from_secs(60);
    let (client, _runtime) = client_with(flags, config);
    let savings = client.stats().savings;
    assert_eq!(client.stats().flags, 500);
    Row::new("flags kept out by a filter for one service in twenty", "%", savings.percent_filtered)
        .at_least(95.0)
        .report();
    let saved = u32::try_from(savings.bytes_saved).expect("some megabytes");
    Row::new("what that saves, of Flagr's export", "bytes", f64::from(saved)).report();
}

criterion_group!(all, rules_in_memory, bounded_cache, by_constraints, strategy, savings);
criterion_main!(all);
