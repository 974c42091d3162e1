//! Flags to decide.

use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{Context, Flag};

/// Everybody gets `on`: no constraint, 100 %.
pub const PLAIN: &str =
    r#"{"RolloutPercent":100,"Distributions":[{"VariantKey":"on","Percent":100}]}"#;

/// Two constraints, then an even split.
pub const SPLIT: &str = r#"{"RolloutPercent":100,
    "Constraints":[{"Property":"country","Operator":"EQ","Value":"\"US\""},
                   {"Property":"tier","Operator":"EQ","Value":"\"gold\""}],
    "Distributions":[{"VariantKey":"off","Percent":50},{"VariantKey":"on","Percent":50}]}"#;

/// One constraint, one outcome: what most flags of a large server look like.
pub const TARGETED: &str = r#"{"RolloutPercent":100,
    "Constraints":[{"Property":"country","Operator":"EQ","Value":"\"US\""}],
    "Distributions":[{"VariantKey":"on","Percent":100}]}"#;

/// Flags `flag-0`, `flag-1`, … with two variants and this segment each.
pub fn many(count: usize, segment: &str) -> Vec<Flag> {
    let flag = |n: usize| {
        format!(
            r#"{{"ID":{},"Key":"flag-{n}","Description":"flag number {n}","Enabled":true,"SnapshotID":{n},
                "CreatedAt":"2026-11-22T19:59:37.294481937Z","UpdatedAt":"2026-11-22T19:59:37.565058204Z",
                "Variants":[{{"Key":"on","Attachment":{{}}}},{{"Key":"off","Attachment":{{}}}}],
                "Segments":[{segment}]}}"#,
            n + 1
        )
    };
    let flags: Vec<String> = (0..count).map(flag).collect();
    let document = read_flags(format!("[{}]", flags.join(",")).as_bytes()).unwrap();
    assert_eq!(document.problems, []);
    document.flags
}

/// The same as Flagr's export.
pub fn export(count: usize, segment: &str) -> Vec<u8> {
    write_flags(&many(count, segment))
}

/// Somebody whom [`SPLIT`] of the first flag gives `on`, with the attributes that it reads and as many others.
pub fn context() -> Context {
    Context::new("user-2")
        .with("country", "US")
        .with("tier", "gold")
        .with("age", 30)
        .with("email", "ann@example.org")
}
