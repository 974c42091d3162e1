//! No dependency asks for a newer Rust than we promise.

use crate::workspace::Workspace;

/// The packages that need a newer Rust than our crates declare.
pub(super) fn too_new(workspace: &Workspace) -> Vec<String> {
    let Some(promised) = workspace.ours().find_map(|it| it.rust_version.as_deref()) else {
        return vec!["no crate of ours declares a `rust-version`".to_owned()];
    };
    let newer = |needed: &str| parse(needed) > parse(promised);
    let packages =
        workspace.packages.iter().filter_map(|it| Some((it, it.rust_version.as_deref()?)));
    packages
        .filter(|(_, needed)| newer(needed))
        .map(|(it, needed)| {
            format!("{} {}: needs Rust {needed}, but we promise {promised}", it.name, it.version)
        })
        .collect()
}

/// `1.88` and `1.88.0` as numbers that compare. What is no number counts as nothing.
pub(super) fn parse(version: &str) -> [u32; 3] {
    let mut numbers = version.split('.').map(|it| it.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}
