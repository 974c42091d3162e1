//! Entity tags: which state of the rules an answer was made of, and whether the caller has it.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

use http::header::{self, HeaderMap, HeaderValue};
use vexilla_domain::Revision;

/// What a compressed answer adds to its tag: its bytes are others.
const GZIP: &str = "-gzip";

/// Makes tags. Revisions count publications in one process, so a tag also says which process: the tag that another one
/// gave never matches, whatever its revision. Clones make the same tags.
#[derive(Debug, Clone)]
pub(crate) struct Tags {
    process: u64,
}

/// A strong entity tag, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityTag(String);

impl Tags {
    pub(crate) fn new() -> Self {
        Self { process: RandomState::new().hash_one(0) }
    }

    /// The tag of everything at this revision.
    pub(crate) fn of(&self, revision: Revision) -> EntityTag {
        EntityTag(format!("{revision}-{:016x}", self.process))
    }

    /// The tag of what was made at this revision for something that was asked.
    pub(crate) fn of_part(&self, revision: Revision, asked: &impl Hash) -> EntityTag {
        let mut hasher = DefaultHasher::new(); // the same for the same, always
        asked.hash(&mut hasher);
        EntityTag(format!("{revision}-{:016x}-{:016x}", self.process, hasher.finish()))
    }
}

impl EntityTag {
    /// Whether a request's `If-None-Match` names it: weakly or not, compressed or not, or by `*`.
    pub(crate) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::IF_NONE_MATCH).iter();
        // A comma inside quotes would split a tag, and none of ours has one.
        lines.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(',')).any(|it| {
            let tag = it.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = tag.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            tag == "*" || inner.is_some_and(|it| it.strip_suffix(GZIP).unwrap_or(it) == self.0)
        })
    }

    /// The value of the header `ETag`.
    pub(crate) fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("\"{}\"", self.0)).ok()
    }
}

/// Makes the tag of an answer that of its compressed form.
pub(crate) fn mark_compressed(headers: &mut HeaderMap) {
    let plain = headers.get(header::ETAG).and_then(|it| it.to_str().ok());
    let inner = plain.and_then(|it| it.strip_suffix('"'));
    if let Some(marked) = inner.and_then(|it| HeaderValue::try_from(format!("{it}{GZIP}\"")).ok()) {
        headers.insert(header::ETAG, marked);
    }
}

#[cfg(test)]
mod tests;
