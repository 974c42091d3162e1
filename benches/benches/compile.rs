//! How long from Flagr's export to rules, against merely parsing it?

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on ends"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use vexilla_benches::{flags, ratio};
use vexilla_domain::Strictness;
use vexilla_domain::json::read_flags;
use vexilla_eval::Ruleset;

const COUNT: usize = 10_000;

fn compile(export: &[u8]) -> Ruleset {
    let compilation = Ruleset::from_json(black_box(export)).unwrap();
    assert_eq!(compilation.ruleset.len(), COUNT);
    compilation.ruleset
}

fn parse(export: &[u8]) -> serde_json::Value {
    let value: serde_json::Value = serde_json::from_slice(black_box(export)).unwrap();
    assert_eq!(value["Flags"].as_array().map(Vec::len), Some(COUNT));
    value
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("10,000 flags");
    group.sample_size(10);
    let export = flags::export(COUNT, flags::TARGETED);
    group.bench_function("serde_json into Value", |b| b.iter_with_large_drop(|| parse(&export)));
    group.bench_function("read and compile", |b| b.iter_with_large_drop(|| compile(&export)));

    let flags = read_flags(&export).unwrap().flags;
    let first = Ruleset::compile(&flags, Vec::new(), Strictness::AsStored, None).ruleset;
    group.bench_function("compile again, unchanged", |b| {
        b.iter_with_large_drop(|| {
            let again =
                Ruleset::compile(black_box(&flags), Vec::new(), Strictness::AsStored, Some(&first));
            assert_eq!(again.reused, COUNT);
            again
        });
    });
    group.finish();

    ratio::report(
        "read and compile 10,000 flags",
        "serde_json into Value",
        3.0,
        || drop(compile(&export)),
        || drop(parse(&export)),
    );
}

criterion_group!(all, benches);
criterion_main!(all);
