//! What every manifest of ours says.

use crate::workspace::Package;

/// Set once, in the root manifest.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];

/// The same, for crates that are published.
const INHERITED_BY_PUBLISHED: &[&str] = &["repository", "readme", "keywords", "categories"];

/// What is missing in a package's manifest.
pub(super) fn of(package: &Package, manifest: &str) -> Vec<String> {
    let has = |wanted: &str| manifest.lines().any(|line| line.trim() == wanted);
    let mut missing = Vec::new();
    let published = if package.is_published() { INHERITED_BY_PUBLISHED } else { &[] };
    for key in INHERITED.iter().chain(published) {
        let wanted = format!("{key}.workspace = true");
        if !has(&wanted) {
            missing.push(wanted);
        }
    }
    if !(has("[lints]") && has("workspace = true")) {
        missing.push("[lints] workspace = true".to_owned());
    }
    if package.description.as_deref().is_none_or(str::is_empty) {
        missing.push("description".to_owned());
    }
    missing.into_iter().map(|it| format!("{}: its Cargo.toml lacks `{it}`", package.name)).collect()
}
