//! Which flags Flagr is asked for.

use vexilla_domain::TagsOperator;

use crate::ConfigError;

const FIELD: &str = "export_filter";

/// A filter that Flagr applies to its export: less is sent, and nothing is known here of the flags left out. All parts
/// must hold.
///
/// It is a request and no promise: servers before 1.2.2 do not know it, and the list of flags that stands in where there
/// is no export is read whole. Who must not see the other flags filters them again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExportFilter {
    /// Only flags that are enabled.
    pub enabled_only: bool,
    /// Only flags with these tags; none by default, which leaves out nothing.
    pub tags: Vec<String>,
    /// Whether one of the tags is enough (the default) or all must be there.
    pub tags_operator: TagsOperator,
}

/// An [`ExportFilter`] as Flagr reads it.
#[derive(Debug, Default)]
pub(crate) struct ExportQuery {
    enabled_only: bool,
    tags: Option<(String, TagsOperator)>,
}

impl ExportQuery {
    pub(crate) fn new(filter: &ExportFilter) -> Result<Self, ConfigError> {
        // Flagr splits the list at commas, trims each tag and drops those that are empty: other flags would come.
        let lost = |tag: &&String| tag.is_empty() || tag.contains(',') || tag.trim() != **tag;
        if let Some(tag) = filter.tags.iter().find(lost) {
            let reason = "cannot be asked for: empty, with a comma, or with space around it";
            return Err(ConfigError::new(FIELD, tag.as_str(), reason));
        }
        let tags = (!filter.tags.is_empty()).then(|| (filter.tags.join(","), filter.tags_operator));
        Ok(Self { enabled_only: filter.enabled_only, tags })
    }

    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs = Vec::new();
        if self.enabled_only {
            pairs.push(("enabled", "true"));
        }
        if let Some((tags, operator)) = &self.tags {
            pairs.push(("tags", &**tags));
            if *operator == TagsOperator::All {
                pairs.push(("tagsOperator", "ALL"));
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests;
