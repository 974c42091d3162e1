//! Receiving a body, within what all bodies together may take.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::BoxError;

use crate::error::Refusal;

/// What a body takes without asking for room: most need no more.
const FREE: usize = 16 << 10;

/// The room for bodies that are being received.
#[derive(Debug)]
pub(crate) struct Room(Semaphore);

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)))
    }

    /// Receives a body of `limit` bytes at most. What has arrived counts, and not what was announced: who announces
    /// much and sends nothing takes nothing.
    pub(crate) async fn receive<B>(
        &self,
        body: B,
        limit: usize,
        timeout: Duration,
    ) -> Result<Bytes, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(Refusal::body_too_large(limit));
        }
        let received = self.collect(Limited::new(body, limit), limit);
        tokio::time::timeout(timeout, received)
            .await
            .unwrap_or_else(|_| Err(Refusal::body_too_slow()))
    }

    async fn collect<B>(&self, body: Limited<B>, limit: usize) -> Result<Bytes, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let mut body = std::pin::pin!(body);
        let (mut first, mut all) = (Bytes::new(), BytesMut::new());
        let mut taken: Option<SemaphorePermit<'_>> = None;
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    Refusal::body_too_large(limit)
                } else {
                    Refusal::body_cut()
                }
            })?;
            let Ok(data) = frame.into_data() else { continue };
            length += data.len();
            let wanted = length.saturating_sub(FREE);
            let more =
                wanted.saturating_sub(taken.as_ref().map_or(0, SemaphorePermit::num_permits));
            if 0 < more {
                let more = self.0.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX));
                let more = more.map_err(|_| Refusal::overloaded())?;
                match &mut taken {
                    Some(taken) => taken.merge(more),
                    None => taken = Some(more),
                }
            }
            if length == data.len() {
                first = data; // most bodies come in one piece
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }
}

#[cfg(test)]
mod tests;
