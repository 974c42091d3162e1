//! What a scenario needs, and why it may be skipped.
//!
//! A scenario is skipped for a fact that stands in these tables, never because something did not work: a scenario that
//! cannot do what it needs has failed.

use std::fmt;

/// Something without which a scenario cannot run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// A Flagr with settings of its own.
    Settings,
    /// Stopping, killing and pausing Flagr.
    Control,
    /// Flagr's files: its database, or the one it reads flags from.
    Files,
    /// Flagr can call us.
    Callback,
    /// A Flagr that knows this.
    Flagr(&'static Feature),
}

/// Something that not every Flagr has.
#[derive(Debug)]
pub(crate) struct Feature {
    name: &'static str,
    since: Version,
}

/// Before, a Flagr that only evaluates gave its flags to nobody.
pub(super) const EVAL_ONLY: Feature = Feature::new("export in eval-only mode", [1, 2, 2]);
pub(super) const BASIC_AUTH: Feature = Feature::new("basic authentication", [1, 1, 8]);
pub(super) const TAGS: Feature = Feature::new("ANY and ALL for tags", [1, 1, 13]);
/// From then on conditions are read and decided as they are today; lists on the left of EQ and NEQ came out by chance.
pub(super) const CONDITIONS: Feature = Feature::new("conditions as they are today", [1, 2, 0]);
pub(super) const WEBHOOKS: Feature = Feature::new("webhooks", [1, 2, 0]);
pub(super) const EXPOSURES: Feature = Feature::new("exposures", [1, 2, 0]);
/// From then on a result says what it says today: the segment only with a variant, and whether it is recorded.
pub(crate) const RESULTS: Feature = Feature::new("results of today's form", [1, 2, 2]);

#[cfg(test)]
const ALL: [&Feature; 7] =
    [&EVAL_ONLY, &BASIC_AUTH, &TAGS, &CONDITIONS, &WEBHOOKS, &EXPOSURES, &RESULTS];

impl Feature {
    const fn new(name: &'static str, since: [u32; 3]) -> Self {
        Self { name, since: Version(since) }
    }

    /// Whether a Flagr has it. One that does not tell its version is taken for a new one.
    pub(crate) fn is_in(&self, version: Option<Version>) -> bool {
        version.is_none_or(|it| it >= self.since)
    }
}

/// A release of Flagr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version([u32; 3]);

impl Version {
    /// Reads `1.2.3`; anything else is no release.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse);
        let version = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
        numbers.next().is_none().then_some(Self(version))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// What kind of Flagr a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Started by us on this machine.
    Near,
    /// Started by us through a Docker engine on another machine.
    Far,
    /// It was there before.
    Given,
}

impl Kind {
    /// Why such a Flagr does not offer it.
    fn lacks(self, need: Need) -> Option<&'static str> {
        match (self, need) {
            (Self::Given, Need::Settings) => Some("the given Flagr keeps its settings"),
            (Self::Given, Need::Control) => Some("the given Flagr is not ours to stop"),
            (Self::Given, Need::Files) => Some("the given Flagr hides its files"),
            (Self::Given, Need::Callback) => Some("the given Flagr does not know us"),
            (Self::Far, Need::Files) => Some("the Docker engine's files are on another machine"),
            (Self::Far, Need::Callback) => Some("the Docker engine's machine cannot call us"),
            _ => None,
        }
    }
}

/// All that decides what can be run.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) kind: Kind,
    /// Of Flagr, where it tells.
    pub(super) version: Option<Version>,
}

impl Facts {
    /// Why a scenario with these needs is not run.
    pub(super) fn reason_to_skip(&self, needs: &[Need]) -> Option<String> {
        needs.iter().find_map(|need| self.lacking(*need))
    }

    fn lacking(&self, need: Need) -> Option<String> {
        if let Some(reason) = self.kind.lacks(need) {
            return Some(reason.to_owned());
        }
        match (need, self.version) {
            (Need::Flagr(feature), Some(version)) if !feature.is_in(self.version) => {
                let Feature { name, since } = feature;
                Some(format!("Flagr {version} has no {name}, which came with {since}"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
