//! Compression of answers as Flagr has it by default: by gzip, whatever the size.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use http::header::{self, HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Either, Full};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use vexilla_domain::Revision;

use crate::error::Answered;
use crate::etag;

/// Compressing more than this takes long enough that other requests would wait for it.
const LARGE: usize = 32 << 10;

/// How many encoders are kept; each takes some hundred kilobytes.
const MAX_IDLE: usize = 64;

/// Whether the caller takes gzip, as Flagr finds it out: by the word, wherever it stands.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).map(HeaderValue::as_bytes);
    accepted.is_some_and(|it| it.windows(4).any(|word| word == b"gzip"))
}

/// Compresses answers. It keeps its encoders: making one costs more than compressing a usual answer.
#[derive(Debug, Default)]
pub(crate) struct Compressor {
    /// INVARIANT: each is at the beginning of an empty stream.
    idle: Mutex<Vec<DeflateEncoder<Vec<u8>>>>,
}

impl Compressor {
    /// The answer, compressed where it has a body that is whole and is not compressed yet.
    pub(crate) async fn compressed(self: &Arc<Self>, response: Answered) -> Answered {
        if response.headers().contains_key(header::CONTENT_ENCODING) {
            return response;
        }
        let (head, body) = response.into_parts();
        let body = match body {
            Either::Left(body) => match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            },
            streamed @ Either::Right(_) => return Answered::from_parts(head, streamed),
        };
        let packed = match body.len() {
            0 => None,
            1..=LARGE => self.gzip(&body),
            _ => {
                let (this, body) = (Arc::clone(self), body.clone());
                // It ends without a result only when the runtime does.
                spawn_blocking(move || this.gzip(&body)).await.ok().flatten()
            }
        };
        let is_packed = packed.is_some();
        let body = packed.map_or(body, Bytes::from);
        let mut response = Answered::from_parts(head, Either::Left(Full::new(body)));
        if is_packed {
            mark(response.headers_mut());
        } else {
            etag::mark_compressed(response.headers_mut()); // of a 304: the answer would be compressed
        }
        response
    }

    /// `None` never happens: writing to memory does not fail.
    fn gzip(&self, body: &[u8]) -> Option<Vec<u8>> {
        /// Deflate, no name, no time, unknown system.
        const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let kept = self.idle().pop();
        let mut encoder =
            kept.unwrap_or_else(|| DeflateEncoder::new(Vec::new(), Compression::fast()));
        encoder.get_mut().reserve(body.len() / 4 + 64);
        encoder.get_mut().extend_from_slice(&HEAD);
        encoder.write_all(body).ok()?;
        let mut packed = encoder.reset(Vec::new()).ok()?;
        let mut checksum = Crc::new();
        checksum.update(body);
        packed.extend_from_slice(&checksum.sum().to_le_bytes());
        packed.extend_from_slice(&checksum.amount().to_le_bytes());
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE {
            idle.push(encoder);
        }
        Some(packed)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<DeflateEncoder<Vec<u8>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says of an answer that its body is compressed.
pub(crate) fn mark(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    etag::mark_compressed(headers);
}

/// The whole export, compressed once for each revision however many ask.
#[derive(Debug, Default)]
pub(crate) struct PackedExport {
    /// Revision 0.0 stands for none: nobody publishes it.
    newest: Mutex<(Revision, Arc<OnceCell<Bytes>>)>,
}

impl PackedExport {
    /// The compressed document of a revision. `None` when the runtime ends meanwhile.
    pub(crate) async fn of(&self, revision: Revision, document: Arc<[u8]>) -> Option<Bytes> {
        let cell = {
            let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            if newest.0 < revision {
                *newest = (revision, Arc::default());
            }
            let is_kept = newest.0 == revision && revision != Revision::default();
            if is_kept { Arc::clone(&newest.1) } else { Arc::default() }
        };
        let packed = || async {
            let pack = move || {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(&document)?;
                encoder.finish().map(Bytes::from)
            };
            spawn_blocking(pack).await?
        };
        cell.get_or_try_init(packed).await.ok().cloned()
    }
}
