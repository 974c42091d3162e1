//! The flags as a document: whole or narrowed, compressed once, and not sent to who has it.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap};
use vexilla_domain::{Clock, Engine, Freshness, Revision, Source};

use crate::answer::{json, off_thread};
use crate::compress::{self, PackedExport};
use crate::error::{Answered, Refusal, whole};
use crate::etag::{EntityTag, Tags};
use crate::selection::Selection;

/// A document of flags with more bytes than this takes long enough to read that other requests would wait for it.
const LARGE_DOCUMENT: usize = 64 << 10;

/// Answers `GET /export/eval_cache/json`.
#[derive(Debug)]
pub(crate) struct Exporter {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tags: Tags,
    pub(crate) packed: PackedExport,
}

/// What of the export is asked for. A part has a tag by the text of its query, whatever that selects.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) selection: Selection,
    pub(crate) query: Box<str>,
    pub(crate) takes_gzip: bool,
}

impl Exporter {
    /// The answer to a caller that has the flags of this revision already, or the refusal while there are none. It costs
    /// the same for any number of flags.
    pub(crate) fn at_once(
        &self,
        wanted: &Wanted,
        headers: &HeaderMap,
    ) -> Result<Option<Answered>, Refusal> {
        if !headers.contains_key(header::IF_NONE_MATCH) {
            return Ok(None);
        }
        let freshness = self.engine.freshness();
        if freshness.revision == Revision::default() {
            return Err(Refusal::nothing_loaded());
        }
        let tag = self.tag(wanted, freshness);
        if !tag.is_known_to(headers) {
            return Ok(None);
        }
        let mut response = whole("");
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        self.add_headers(&mut response, &tag, freshness);
        Ok(Some(response))
    }

    pub(crate) async fn answer(&self, wanted: Wanted) -> Result<Answered, Refusal> {
        let export = self.engine.export().await.ok_or_else(Refusal::nothing_loaded)?;
        let tag = self.tag(&wanted, export.freshness);
        if !wanted.selection.is_everything() {
            let mut response = json(selected(wanted.selection, export.json).await?);
            self.add_headers(&mut response, &tag, export.freshness);
            return Ok(response);
        }
        if !wanted.takes_gzip {
            let mut response = json(Bytes::from_owner(export.json));
            self.add_headers(&mut response, &tag, export.freshness);
            return Ok(response);
        }
        let packed = self.packed.of(export.freshness.revision, export.json).await;
        let mut response = json(packed.ok_or_else(Refusal::panicked)?);
        self.add_headers(&mut response, &tag, export.freshness);
        compress::mark(response.headers_mut());
        Ok(response)
    }

    fn tag(&self, wanted: &Wanted, freshness: Freshness) -> EntityTag {
        if wanted.selection.is_everything() {
            self.tags.of(freshness.revision)
        } else {
            self.tags.of_part(freshness.revision, &wanted.query)
        }
    }

    fn add_headers(&self, response: &mut Answered, tag: &EntityTag, freshness: Freshness) {
        let headers = response.headers_mut();
        // Without flags there is nothing that a later revision could not have again.
        if freshness.revision != Revision::default() {
            headers.insert(header::ETAG, tag.to_header());
        }
        self.tags.add_origin(headers, Source::Local, freshness, self.clock.now());
    }
}

/// The selected flags as a document of their own.
async fn selected(selection: Selection, document: Arc<[u8]>) -> Result<Bytes, Refusal> {
    let is_large = document.len() > LARGE_DOCUMENT;
    let narrow = move || selection.narrow(&document).map_err(|it| Refusal::unreadable_export(&it));
    let narrowed = if is_large { off_thread(narrow).await } else { narrow() };
    narrowed.map(Bytes::from)
}
