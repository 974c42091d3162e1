//! Which state of the rules an answer was made of: told in headers, and as an entity tag that a caller may have already.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use vexilla_domain::{Freshness, Revision, Source};

const SOURCE: HeaderName = HeaderName::from_static("x-vexilla-source");
const REVISION: HeaderName = HeaderName::from_static("x-vexilla-revision");
const AGE: HeaderName = HeaderName::from_static("x-vexilla-age");

/// What a compressed answer adds to its tag: its bytes are others.
const GZIP: &str = "-gzip";

/// Makes tags. Revisions count publications in one process, so a tag also says which process: the tag that another one
/// gave never matches, whatever its revision. Clones make the same tags.
#[derive(Debug, Clone)]
pub(crate) struct Tags {
    process: u64,
    kept: Arc<Kept>,
}

/// What was written last, because the next answer says the same as a rule.
#[derive(Debug)]
struct Kept {
    state: ArcSwap<State>,
    age: ArcSwap<(u64, HeaderValue)>,
}

/// A state of the rules in headers.
#[derive(Debug)]
struct State {
    of: Revision,
    revision: HeaderValue,
    tag: EntityTag,
}

/// A strong entity tag, in its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityTag(HeaderValue);

impl Tags {
    pub(crate) fn new() -> Self {
        Self::of_process(RandomState::new().hash_one(0))
    }

    fn of_process(process: u64) -> Self {
        let state = State::new(process, Revision::default());
        let age = (0, HeaderValue::from(0));
        let kept = Kept { state: ArcSwap::from_pointee(state), age: ArcSwap::from_pointee(age) };
        Self { process, kept: Arc::new(kept) }
    }

    /// Says who decided, by which rules, and how many seconds ago the source confirmed them.
    pub(crate) fn add_origin(
        &self,
        headers: &mut HeaderMap,
        source: Source,
        freshness: Freshness,
        now: SystemTime,
    ) {
        headers.insert(SOURCE, HeaderValue::from_static(source.as_str()));
        headers.insert(REVISION, self.state(freshness.revision, |it| it.revision.clone()));
        if freshness.refreshed_at_ms > 0 {
            let confirmed = Duration::from_millis(freshness.refreshed_at_ms);
            let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            headers.insert(AGE, self.age(now.saturating_sub(confirmed).as_secs()));
        }
    }

    /// The tag of everything at this revision.
    pub(crate) fn of(&self, revision: Revision) -> EntityTag {
        self.state(revision, |it| it.tag.clone())
    }

    fn state<T>(&self, revision: Revision, read: impl FnOnce(&State) -> T) -> T {
        let kept = self.kept.state.load();
        if kept.of == revision {
            return read(&kept);
        }
        let state = State::new(self.process, revision);
        let result = read(&state);
        self.kept.state.store(Arc::new(state));
        result
    }

    fn age(&self, seconds: u64) -> HeaderValue {
        let kept = self.kept.age.load();
        if kept.0 == seconds {
            return kept.1.clone();
        }
        let value = HeaderValue::from(seconds);
        self.kept.age.store(Arc::new((seconds, value.clone())));
        value
    }

    /// The tag of what was made at this revision for something that was asked.
    pub(crate) fn of_part(&self, revision: Revision, asked: &impl Hash) -> EntityTag {
        let mut hasher = DefaultHasher::new(); // the same for the same, always
        asked.hash(&mut hasher);
        EntityTag::new(&format!("{revision}-{:016x}-{:016x}", self.process, hasher.finish()))
    }
}

impl State {
    fn new(process: u64, revision: Revision) -> Self {
        Self {
            of: revision,
            revision: written(revision.to_string()),
            tag: EntityTag::new(&format!("{revision}-{process:016x}")),
        }
    }
}

/// Digits and such as a header's value; they always can be one.
fn written(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0"))
}

impl EntityTag {
    fn new(text: &str) -> Self {
        Self(written(format!("\"{text}\"")))
    }

    /// Whether a request's `If-None-Match` names it: weakly or not, compressed or not, or by `*`.
    pub(crate) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::IF_NONE_MATCH).iter();
        // A comma inside quotes would split a tag, and none of ours has one.
        lines.flat_map(|it| it.as_bytes().split(|byte| *byte == b',')).any(|it| {
            let tag = it.trim_ascii();
            let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
            let plain = inner(tag).map(|it| it.strip_suffix(GZIP.as_bytes()).unwrap_or(it));
            tag == b"*" || plain.is_some() && plain == inner(self.0.as_bytes())
        })
    }

    /// The value of the header `ETag`.
    pub(crate) fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// What is between the quotes.
fn inner(tag: &[u8]) -> Option<&[u8]> {
    tag.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\""))
}

/// Makes the tag of an answer that of its compressed form, if it is not that already: an answer may be looked at twice
/// on its way out.
pub(crate) fn mark_compressed(headers: &mut HeaderMap) {
    let plain = headers.get(header::ETAG).and_then(|it| it.to_str().ok());
    let inner = plain.and_then(|it| it.strip_suffix('"')).filter(|it| !it.ends_with(GZIP));
    if let Some(marked) = inner.and_then(|it| HeaderValue::try_from(format!("{it}{GZIP}\"")).ok()) {
        headers.insert(header::ETAG, marked);
    }
}

#[cfg(test)]
mod tests;
