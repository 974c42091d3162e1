//! What does it cost an evaluation to be shown: counted flag by flag, measured now and then, by Prometheus and
//! OpenTelemetry?

use std::hint::black_box;

use vexilla::{Client, Context};
use vexilla_benches::{client, flags, ratio, shown_client};

fn main() {
    let ctx = flags::context();
    let (plain, _runtime) = client(flags::many(100, flags::SPLIT));
    let (shown, _other) = shown_client(flags::many(100, flags::SPLIT));
    ratio::report(
        "client.local(), two EQ and a split, telemetry on",
        "telemetry off",
        1.10,
        || evaluate(&shown, &ctx),
        || evaluate(&plain, &ctx),
    );
    let (shown, plain) = (shown.flag("flag-0"), plain.flag("flag-0"));
    ratio::report(
        "client.flag(key).bool, two EQ and a split, telemetry on",
        "telemetry off",
        1.10,
        || assert!(shown.bool(black_box(&ctx), false)),
        || assert!(plain.bool(black_box(&ctx), false)),
    );
}

fn evaluate(client: &Client, ctx: &Context) {
    client.local().evaluate_with(black_box("flag-0"), black_box(ctx), |it| {
        assert_eq!(it.variant_key(), Some("on"));
    });
}
