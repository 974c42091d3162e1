//! What a request that is passed on changes, and the look at it that follows.
//!
//! Flagr may have made a change whatever becomes of the request: its answer may be late or break off, and the caller may
//! go away before it. So a change that was sent is looked at in any case, but where it is known that there is none.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::{StreamExt, stream};
use http::Method;
use http::header::{self, HeaderMap};
use http_body_util::{BodyExt, BodyStream, Either, Full, StreamBody};
use hyper::body::Frame;
use serde::Deserialize;
use vexilla_domain::{FlagId, FlagName, Operator};

use crate::error::Refusal;
use crate::forward::{ForwardBody, ForwardError, ForwardErrorKind};

/// How long an answer to a change waits for the change to be served here.
const SETTLE: Duration = Duration::from_secs(2);

/// The id of a new flag is looked for in an answer of up to this many bytes.
const MAX_NEW_FLAG: usize = 1 << 20;

/// What a request changes when it succeeds.
///
/// After its answer everybody reads the change here, as far as the rules held here decide: they are read anew, past any
/// lag. Flagr itself goes on answering evaluations by its former rules until it has read them again, up to 3 s by default;
/// the client takes no answer of Flagr that is older than the flag held here, unless only Flagr can give one (it
/// records the flag's evaluations, or the flag reads what only Flagr puts into contexts).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagChange {
    /// This flag.
    Of(FlagId),
    /// A new flag, which the answer names.
    New,
    /// Something, or nothing.
    Unknown,
}

impl FlagChange {
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        if !matches!(*method, Method::POST | Method::PUT | Method::DELETE | Method::PATCH) {
            return None;
        }
        let (_, rest) = path.split_once("/api/v1/flags")?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let mut parts = rest.split('/').filter(|it| !it.is_empty());
        Some(match (parts.next(), parts.next()) {
            (None, _) | (Some(_), Some("duplicate")) => Self::New,
            (Some(id), _) => id.parse().map_or(Self::Unknown, |id| Self::Of(FlagId(id))),
        })
    }

    /// The change is about to be sent.
    pub(crate) fn begin(self, operator: &dyn Operator) -> Pending<'_> {
        let id = match self {
            Self::Of(id) => Some(id),
            Self::New | Self::Unknown => None,
        };
        Pending { operator, is_new: self == Self::New, flags: named(id), is_looked_at: false }
    }
}

/// A change that may have been made. Dropped before it was looked at, it leaves a note to do so.
#[derive(Debug)]
pub(crate) struct Pending<'o> {
    operator: &'o dyn Operator,
    is_new: bool,
    /// None stand for all of them.
    flags: Vec<FlagName>,
    is_looked_at: bool,
}

impl Pending<'_> {
    /// Finds out which flag is new, if one is, and gives the answer back whole.
    pub(crate) async fn name(
        &mut self,
        body: AnswerBody,
        headers: &HeaderMap,
    ) -> Result<AnswerBody, Refusal> {
        if !self.is_new {
            return Ok(body);
        }
        let is_packed = headers.get(header::CONTENT_ENCODING).is_some_and(|it| it == "gzip");
        let (whole, id) = read_new_flag(body, is_packed).await?;
        self.flags = named(id);
        Ok(whole)
    }

    /// Nothing was changed.
    pub(crate) fn dismiss(mut self) {
        self.is_looked_at = true;
    }

    /// Reads the change, and waits for that for a while.
    pub(crate) async fn settle(mut self) {
        let read = async {
            if self.flags.is_empty() {
                self.operator.reread_all().await
            } else {
                self.operator.reread(&self.flags).await
            }
        };
        match tokio::time::timeout(SETTLE, read).await {
            Ok(Ok(_)) => self.is_looked_at = true,
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot read a change that was passed on"
                );
            }
            Err(_) => {} // it goes on without this caller
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_looked_at {
            self.operator.notify(&self.flags);
        }
    }
}

fn named(id: Option<FlagId>) -> Vec<FlagName> {
    id.map(|id| FlagName { id, key: Box::default() }).into_iter().collect()
}

pub(crate) type AnswerBody = Either<Full<Bytes>, ForwardBody>;

/// Reads an answer that names a new flag, as far as it is not too long, and gives it back whole.
async fn read_new_flag(
    mut body: AnswerBody,
    is_packed: bool,
) -> Result<(AnswerBody, Option<FlagId>), Refusal> {
    #[derive(Deserialize)]
    struct NewFlag {
        id: u64,
    }
    let mut read = Vec::new();
    while read.len() <= MAX_NEW_FLAG {
        match body.frame().await {
            None => {
                let id = unpacked(&read, is_packed)
                    .and_then(|it| serde_json::from_slice::<NewFlag>(&it).ok())
                    .map(|it| FlagId(it.id));
                return Ok((Either::Left(Full::new(read.into())), id));
            }
            Some(Ok(frame)) => read.extend_from_slice(frame.data_ref().map_or(&[], |it| it)),
            Some(Err(error)) => {
                let error = ForwardError::new(ForwardErrorKind::Unavailable, error);
                return Err(Refusal::not_forwarded(&error));
            }
        }
    }
    let begun = stream::once(async { Ok(Frame::data(Bytes::from(read))) });
    let rest = StreamBody::new(begun.chain(BodyStream::new(body)));
    Ok((Either::Right(rest.boxed_unsync()), None))
}

fn unpacked(body: &[u8], is_packed: bool) -> Option<Vec<u8>> {
    if !is_packed {
        return Some(body.to_vec());
    }
    let mut out = Vec::new();
    GzDecoder::new(body).take(MAX_NEW_FLAG as u64).read_to_end(&mut out).ok()?;
    Some(out)
}
