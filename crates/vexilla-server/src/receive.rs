//! Receiving a body: not longer than allowed, in time, and within what all bodies together may take.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::poll_immediate;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::BoxError;

/// What a body takes without asking for room: most need no more.
const FREE: usize = 16 << 10;

/// The room for bodies that are being received.
#[derive(Debug)]
pub(crate) struct Room(Semaphore);

/// Why a body was not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreceived {
    TooLarge,
    /// It broke off, or is malformed.
    Cut,
    TooSlow,
    /// Others take all the room.
    NoRoom,
}

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)))
    }

    /// Has `taken` cover what a body of this length takes. What has arrived counts, and not what was announced: who
    /// announces much and sends nothing takes nothing.
    fn cover<'r>(
        &'r self,
        taken: &mut Option<SemaphorePermit<'r>>,
        length: usize,
    ) -> Result<(), Unreceived> {
        let held = taken.as_ref().map_or(0, SemaphorePermit::num_permits);
        let more = length.saturating_sub(FREE).saturating_sub(held);
        if more == 0 {
            return Ok(());
        }
        let more = self.0.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX));
        let more = more.map_err(|_| Unreceived::NoRoom)?;
        match taken {
            Some(taken) => taken.merge(more),
            None => *taken = Some(more),
        }
        Ok(())
    }
}

/// Receives a body of `limit` bytes at most. Without a room, whoever calls bounds how many are received at once.
pub(crate) async fn receive<B>(
    body: B,
    limit: usize,
    timeout: Duration,
    room: Option<&Room>,
) -> Result<Bytes, Unreceived>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(Unreceived::TooLarge);
    }
    let mut received = pin!(collect(Limited::new(body, limit), room));
    // Most bodies have arrived with their head, and need no timer.
    if let Some(received) = poll_immediate(received.as_mut()).await {
        return received;
    }
    // Its timer would take room in every request.
    Box::pin(tokio::time::timeout(timeout, received)).await.unwrap_or(Err(Unreceived::TooSlow))
}

async fn collect<B>(body: Limited<B>, room: Option<&Room>) -> Result<Bytes, Unreceived>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut body = std::pin::pin!(body);
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    let (mut taken, mut length) = (None, 0);
    while let Some(frame) = body.frame().await {
        let why = |error: BoxError| {
            if error.is::<LengthLimitError>() { Unreceived::TooLarge } else { Unreceived::Cut }
        };
        let frame = frame.map_err(why)?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if let Some(room) = room {
            room.cover(&mut taken, length)?;
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

#[cfg(test)]
mod tests;
