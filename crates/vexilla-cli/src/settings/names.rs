//! The names of all settings, and which one somebody may have meant.

use std::collections::{BTreeMap, BTreeSet};

use super::table::Part;

/// The names of all settings.
#[derive(Debug)]
pub(crate) struct Names {
    /// By their paths, the variables.
    settings: BTreeMap<String, String>,
    parts: BTreeSet<String>,
}

/// How much alike two names are, from 0 to 1, for one to be meant by the other.
const ALIKE: f64 = 0.6;

impl Names {
    pub(crate) fn of(parts: &[Part]) -> Self {
        let all = parts.iter().flat_map(|it| &it.settings);
        let ancestors = |name: &'static str| {
            let dots = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
            dots.chain([name]).map(str::to_owned)
        };
        Self {
            settings: all.map(|it| (it.path.clone(), it.variable())).collect(),
            parts: parts.iter().flat_map(|it| ancestors(it.name)).collect(),
        }
    }

    pub(crate) fn is_setting(&self, path: &str) -> bool {
        self.settings.contains_key(path)
    }

    pub(crate) fn is_part(&self, path: &str) -> bool {
        self.parts.contains(path)
    }

    /// Why a path is wrong: there is no such setting, but maybe one that was meant.
    pub(crate) fn unknown(&self, path: &str, what: &str) -> String {
        let names = self.settings.keys().chain(&self.parts);
        format!("{what} `{path}`{}", meant(path, names.map(String::as_str)))
    }

    /// Why a variable is wrong.
    pub(crate) fn unknown_variable(&self, variable: &str, aliases: &[&str]) -> String {
        let names = self.settings.values().map(String::as_str);
        let names = names.chain(aliases.iter().copied());
        format!("is no setting{}", meant(variable, names))
    }
}

fn meant<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let alike = |it: &str| strsim::normalized_damerau_levenshtein(name, it);
    let nearest = names.map(|it| (alike(it), it)).max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((alike, name)) if ALIKE <= alike => format!(", did you mean `{name}`?"),
        _ => String::new(),
    }
}
