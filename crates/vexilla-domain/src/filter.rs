//! Which flags an instance keeps.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use regex::{Regex, RegexBuilder};

use crate::{ActiveHours, Flag, TagsOperator};

/// Which flags an instance keeps; all of them by default.
///
/// A flag is kept when every rule that was set keeps it. What is filtered out is not unknown: its evaluations give
/// [`Reason::Filtered`](crate::Reason::Filtered).
///
/// ```
/// use vexilla_domain::{Flag, FlagFilter, Tag, TagsOperator};
///
/// # fn main() -> Result<(), vexilla_domain::FilterError> {
/// let filter = FlagFilter::default()
///     .with_only_enabled()
///     .with_service_tag("payments", true)
///     .with_additional_tags(["production"], TagsOperator::Any)
///     .with_tag_pattern("^team-[a-z]+$")?;
/// assert!(!filter.should_cache(&Flag::default()));
///
/// let tag = |value: &str| Tag { value: value.into(), ..Tag::default() };
/// let tags = vec![tag("payments"), tag("production"), tag("team-core")];
/// assert!(filter.should_cache(&Flag { enabled: true, tags, ..Flag::default() }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct FlagFilter {
    only_enabled: bool,
    service: Option<Service>,
    service_prefix: Box<str>,
    tags: Vec<Box<str>>,
    tags_operator: TagsOperator,
    patterns: Vec<Regex>,
    hours: Option<ActiveHours>,
    predicate: Option<Predicate>,
    asked_of_source: bool,
}

type Predicate = Arc<dyn Fn(&Flag) -> bool + Send + Sync>;

#[derive(Debug, Clone)]
struct Service {
    name: Box<str>,
    required: bool,
}

/// The longest pattern, in bytes, and the largest compiled one.
const MAX_PATTERN: usize = 1 << 10;
const MAX_PROGRAM: usize = 1 << 20;

impl FlagFilter {
    /// Keeps enabled flags only.
    #[must_use]
    pub fn with_only_enabled(mut self) -> Self {
        self.only_enabled = true;
        self
    }

    /// Names the service that asks. If the tag is required, only flags that carry it are kept: the service's name behind
    /// the prefix of [`with_service_tag_prefix`](Self::with_service_tag_prefix).
    #[must_use]
    pub fn with_service_tag(mut self, name: impl Into<Box<str>>, required: bool) -> Self {
        self.service = Some(Service { name: name.into(), required });
        self
    }

    /// What stands before the service's name in its tag, `service:` for instance. Default: nothing.
    #[must_use]
    pub fn with_service_tag_prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.service_prefix = prefix.into();
        self
    }

    /// Keeps flags with any, or with all, of these tags. No tags, no rule.
    #[must_use]
    pub fn with_additional_tags<T: Into<Box<str>>>(
        mut self,
        tags: impl IntoIterator<Item = T>,
        operator: TagsOperator,
    ) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self.tags_operator = operator;
        self
    }

    /// Keeps flags that have a tag in which this regular expression (of the crate `regex`) is found. Of several patterns,
    /// each must be found in a tag.
    ///
    /// # Errors
    ///
    /// If it is not a regular expression, longer than 1,024 bytes, or too large when compiled.
    pub fn with_tag_pattern(mut self, pattern: &str) -> Result<Self, FilterError> {
        let refused = |reason: String| FilterError {
            field: "tag_pattern",
            value: pattern.chars().take(80).collect::<String>().into(),
            reason: reason.into(),
        };
        if MAX_PATTERN < pattern.len() {
            return Err(refused(format!("has more than {MAX_PATTERN} bytes")));
        }
        let compiled = RegexBuilder::new(pattern).size_limit(MAX_PROGRAM).build();
        self.patterns.push(compiled.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => refused("is too large when compiled".to_owned()),
            // The error draws a picture over several lines; the last one says what is wrong.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                refused(format!("is not a regular expression: {last}"))
            }
        })?);
        Ok(self)
    }

    /// Keeps flags at certain hours only.
    #[must_use]
    pub fn with_active_hours(mut self, hours: ActiveHours) -> Self {
        self.hours = Some(hours);
        self
    }

    /// Keeps flags for which this is true. It is asked once for each flag and refresh.
    #[must_use]
    pub fn with_predicate(mut self, keep: impl Fn(&Flag) -> bool + Send + Sync + 'static) -> Self {
        self.predicate = Some(Arc::new(keep));
        self
    }

    /// Lets Flagr filter too, as far as it can: less is transferred, and a flag that Flagr leaves out is unknown here
    /// instead of filtered.
    #[must_use]
    pub fn asked_of_source(mut self) -> Self {
        self.asked_of_source = true;
        self
    }

    /// Whether the rules keep this flag, whatever the hour.
    pub fn should_cache(&self, flag: &Flag) -> bool {
        (!self.only_enabled || flag.enabled)
            && self.has_service_tag(flag)
            && self.has_tags(flag)
            && self.patterns.iter().all(|it| flag.tags.iter().any(|tag| it.is_match(&tag.value)))
            && self.predicate.as_ref().is_none_or(|keep| keep(flag))
    }

    /// Whether the rules keep this flag at this time.
    pub fn should_cache_at(&self, flag: &Flag, now: SystemTime) -> bool {
        self.hours.as_ref().is_none_or(|hours| hours.keep(flag, now)) && self.should_cache(flag)
    }

    /// The hours, if there are any.
    pub fn hours(&self) -> Option<&ActiveHours> {
        self.hours.as_ref()
    }

    /// What of it the source is to filter by: whether enabled flags only, the tags, and how they combine. `None` where the
    /// source is not to be asked.
    pub fn for_source(&self) -> Option<(bool, Vec<Box<str>>, TagsOperator)> {
        if !self.asked_of_source {
            return None;
        }
        // Flagr combines all tags in one way, so only one of the two rules can be handed on.
        let (tags, operator) = match self.service_tag() {
            Some(tag) if self.tags.is_empty() => (vec![tag], TagsOperator::All),
            Some(tag) if self.tags_operator == TagsOperator::All => {
                (self.tags.iter().cloned().chain([tag]).collect(), TagsOperator::All)
            }
            Some(tag) => (vec![tag], TagsOperator::All),
            None => (self.tags.clone(), self.tags_operator),
        };
        Some((self.only_enabled, tags, operator))
    }

    fn service_tag(&self) -> Option<Box<str>> {
        let service = self.service.as_ref().filter(|it| it.required)?;
        Some(format!("{}{}", self.service_prefix, service.name).into())
    }

    fn has_service_tag(&self, flag: &Flag) -> bool {
        let Some(service) = self.service.as_ref().filter(|it| it.required) else { return true };
        let is_service = |tag: &str| tag.strip_prefix(&*self.service_prefix) == Some(&service.name);
        flag.tags.iter().any(|tag| is_service(&tag.value))
    }

    fn has_tags(&self, flag: &Flag) -> bool {
        let has = |wanted: &str| flag.tags.iter().any(|tag| *tag.value == *wanted);
        match self.tags_operator {
            TagsOperator::Any => self.tags.is_empty() || self.tags.iter().any(|it| has(it)),
            TagsOperator::All => self.tags.iter().all(|it| has(it)),
        }
    }
}

impl fmt::Debug for FlagFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagFilter")
            .field("only_enabled", &self.only_enabled)
            .field("service", &self.service)
            .field("service_prefix", &self.service_prefix)
            .field("tags", &self.tags)
            .field("tags_operator", &self.tags_operator)
            .field("patterns", &self.patterns)
            .field("hours", &self.hours)
            .field("predicate", &self.predicate.is_some())
            .field("asked_of_source", &self.asked_of_source)
            .finish()
    }
}

/// A rule that cannot work: which, its value, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: `{value}` {reason}")]
pub struct FilterError {
    pub(crate) field: &'static str,
    pub(crate) value: Box<str>,
    pub(crate) reason: Box<str>,
}

impl FilterError {
    /// The rule.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

#[cfg(test)]
mod tests;
