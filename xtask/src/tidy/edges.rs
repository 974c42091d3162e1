//! Which of our crates may know which.

/// The crates that `vexilla` composes. They do not know each other, but for the domain.
const INNER: &[&str] = &[
    "vexilla-breaker",
    "vexilla-domain",
    "vexilla-eval",
    "vexilla-flagr",
    "vexilla-server",
    "vexilla-storage",
    "vexilla-telemetry",
];

/// Each crate with those it may depend on, be it for its tests only.
const ALLOWED: &[(&str, &[&[&str]])] = &[
    ("vexilla-breaker", &[]),
    ("vexilla-domain", &[]),
    ("vexilla-eval", &[&["vexilla-domain"]]),
    ("vexilla-flagr", &[&["vexilla-domain"]]),
    ("vexilla-server", &[&["vexilla-domain"]]),
    ("vexilla-storage", &[&["vexilla-domain"]]),
    ("vexilla-telemetry", &[&["vexilla-domain"]]),
    ("vexilla", &[INNER]),
    ("vexilla-cli", &[&["vexilla"], INNER]),
    ("vexilla-bare", &[]),
    ("vexilla-benches", &[&["vexilla"], INNER]),
    ("xtask", &[]),
];

/// Runtimes, clients and servers. A program that has its flags already and only decides them needs none.
const OUTSIDE: &[&str] =
    &["async-std", "axum", "http", "hyper", "reqwest", "rustls", "smol", "tokio", "tower"];

/// The dependencies that this crate may not have. `ours` are those within the workspace.
pub(super) fn of<'a>(name: &str, ours: impl Iterator<Item = &'a str>) -> Vec<String> {
    let Some((_, allowed)) = ALLOWED.iter().find(|it| it.0 == name) else {
        return vec![format!(
            "{name}: a new crate; say in xtask/src/tidy/edges.rs what it may depend on"
        )];
    };
    let forbidden = ours.filter(|it| !allowed.iter().any(|group| group.contains(it)));
    forbidden.map(|it| format!("{name}: may not depend on {it}")).collect()
}

/// What stands in a crate's tree, as `cargo tree` prints it, though the crate is to stand alone.
pub(super) fn not_alone(name: &str, tree: &str) -> Vec<String> {
    let mut outside: Vec<&str> =
        tree.lines().filter_map(|it| it.split(' ').next()).filter(|it| is_outside(it)).collect();
    outside.sort_unstable();
    outside.dedup();
    outside.into_iter().map(|it| format!("{name}: stands alone, but brings {it}")).collect()
}

/// Whether a package is one of [`OUTSIDE`] or a part of it, such as `tokio-util`.
fn is_outside(package: &str) -> bool {
    let part_of = |it: &&&str| {
        package.strip_prefix(**it).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    OUTSIDE.iter().any(|it| part_of(&it))
}
