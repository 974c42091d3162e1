//! Settings of the client: when it refreshes, who decides, which flags it keeps, when it leaves Flagr alone.

use vexilla::{
    ActiveHours, BreakerConfig, Config, Fallback, FilterError, FlagFilter, Records, Rollouts,
    StartPolicy, TagsOperator,
};

use super::found::{Origins, Wrong};
use super::kind::{Count, Maybe, Named, OneOf, OrOff, Switch, Text, Time, Words};
use super::table::section;

section! {
    /// When flags are loaded
    struct Refresh for it: Config {
        /// How often to ask whether the flags changed, give or take 10 %
        interval: Maybe<Time> = None,
            [unset: "`5m` for a Flagr, `1s` for a file", value: Some("TIME"), common: true];
        /// How often all flags are read although nothing seems to have changed
        full_interval: Time => it.full_refresh_interval;
        /// How long the start may take to load flags
        initial_timeout: Time => it.initial_timeout;
        /// What a start does that could not load flags: it fails, or serves none until a later refresh brings them
        on_start: OneOf<StartPolicy> => it.start;
    }
}

section! {
    /// Who decides, and what stands in where nobody can
    struct Evaluation for it: Config {
        /// Who decides flags in which an entity's bucket takes part: partial rollouts and several variants. Both give the
        /// same answers; a Flagr that is asked counts them. A file's flags are always decided here
        rollouts: OneOf<Rollouts> => it.rollouts,
            [flag: Some("rollouts"), value: Some("WHO"), common: true, with_flagr: true];
        /// Who decides flags whose evaluations Flagr records: Flagr; the rules here, with the same asked of Flagr afterwards,
        /// which records it (`replay`); or the rules here, and nothing is recorded (`off`)
        records: OneOf<Records> => it.records;
        /// What a flag counts as where nothing can decide it
        fallback: OneOf<Fallback> => it.fallback;
        /// How old rules may be, since the source confirmed them last, before the fallback applies instead
        max_staleness: OrOff<Time> => it.max_staleness;
        /// How often, at most, an unknown key makes the client look for changes
        miss_interval: Time => it.miss_interval;
        /// How long the evaluation of an unknown key waits for that
        miss_timeout: Time => it.miss_timeout;
        /// How long a call that wants the newest rules waits for its look
        strict_timeout: Time => it.strict_timeout;
    }
}

section! {
    /// Which flags are kept; all of them by default. A flag is kept when every rule that is set keeps it
    struct Filter for it: () {
        /// Keep enabled flags only
        only_enabled: Switch = false, [live: true];
        /// The name of the service that asks
        service: Maybe<Text> = None, [live: true];
        /// Keep only flags that carry the service's tag
        service_required: Switch = false, [live: true];
        /// What stands before the service's name in its tag, as `service:`
        service_prefix: Text = String::new(), [live: true];
        /// Keep flags with these tags
        tags: Words = Vec::new(), [live: true];
        /// Whether one of those tags is enough, or all must be there
        tags_operator: OneOf<TagsOperator> = TagsOperator::Any, [live: true];
        /// Keep flags that have, for each of these regular expressions, a tag in which it is found
        tag_patterns: Words = Vec::new(), [live: true];
        /// Keep flags at these hours of the day only, as `08:00-18:30`
        hours: Maybe<Text> = None, [live: true];
        /// How much the clocks of those hours differ from UTC, as `+02:00`
        hours_offset: Maybe<Text> = None, [live: true, unset: "UTC"];
        /// Apply the hours to flags with this tag only
        hours_tag: Maybe<Text> = None, [live: true, unset: "to all flags"];
        /// Let Flagr filter too, as far as it can: less is transferred, and a flag that Flagr leaves out is unknown here
        /// instead of filtered
        asked_of_source: Switch = false;
    }
}

section! {
    /// When Flagr is not asked for a while
    struct Breaker for it: BreakerConfig {
        /// After how many failures in a row
        failure_threshold: Count<u32, 1> => it.failure_threshold;
        /// For how long
        open_for: Time => it.open_for;
        /// How long the one call that tries it again may take
        half_open_limit: Time => it.half_open_limit;
    }
}

impl Named for StartPolicy {
    const NAMES: &'static [(&'static str, Self)] =
        &[("require_flags", Self::RequireFlags), ("come_up_empty", Self::ComeUpEmpty)];
}

impl Named for Rollouts {
    const NAMES: &'static [(&'static str, Self)] =
        &[("remote", Self::Remote), ("local", Self::Local)];
}

impl Named for Records {
    const NAMES: &'static [(&'static str, Self)] =
        &[("remote", Self::Remote), ("replay", Self::Replay), ("off", Self::Off)];
}

impl Named for Fallback {
    const NAMES: &'static [(&'static str, Self)] =
        &[("fail_open", Self::FailOpen), ("fail_closed", Self::FailClosed), ("error", Self::Error)];
}

impl Filter {
    /// The filter of these rules.
    pub(crate) fn filter(&self, origins: &Origins) -> Result<FlagFilter, Wrong> {
        let wrong = |key: &str, reason: String| {
            let path = format!("filter.{key}");
            Wrong::new(&origins.of_setting(&path), &path, reason)
        };
        let refused = |key| move |error: FilterError| wrong(key, error.to_string());
        let mut filter = FlagFilter::default()
            .with_service_tag_prefix(&*self.service_prefix)
            .with_additional_tags(self.tags.iter().map(String::as_str), self.tags_operator);
        if self.only_enabled {
            filter = filter.with_only_enabled();
        }
        match &self.service {
            Some(service) => filter = filter.with_service_tag(&**service, self.service_required),
            None if self.service_required => {
                let reason = "needs `filter.service`".to_owned();
                return Err(wrong("service_required", reason));
            }
            None => {}
        }
        for pattern in &self.tag_patterns {
            filter = filter.with_tag_pattern(pattern).map_err(refused("tag_patterns"))?;
        }
        let of_hours = [("hours_offset", &self.hours_offset), ("hours_tag", &self.hours_tag)];
        let without = of_hours.into_iter().find(|(_, it)| it.is_some() && self.hours.is_none());
        if let Some((key, _)) = without {
            return Err(wrong(key, "is set without `filter.hours`".to_owned()));
        }
        if let Some(hours) = &self.hours {
            let (from, to) = hours
                .split_once('-')
                .ok_or_else(|| wrong("hours", format!("`{hours}` is not as `08:00-18:30`")))?;
            let mut hours =
                ActiveHours::between(from.trim(), to.trim()).map_err(refused("hours"))?;
            if let Some(offset) = &self.hours_offset {
                hours = hours.at_offset(offset).map_err(refused("hours_offset"))?;
            }
            if let Some(tag) = &self.hours_tag {
                hours = hours.for_tag(&**tag);
            }
            filter = filter.with_active_hours(hours);
        }
        if self.asked_of_source {
            filter = filter.asked_of_source();
        }
        Ok(filter)
    }
}
