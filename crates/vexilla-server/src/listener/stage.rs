//! Where a connection stands, for whoever has to know.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::pace::Pace;

/// Where a connection stands: shared by its stream, its requests, and whoever needs its place.
#[derive(Debug, Clone)]
pub(super) struct Stage(pub(super) Arc<Standing>);

#[derive(Debug)]
pub(super) struct Standing {
    pub(super) at: AtomicU8,
    /// Whether what still comes is to be taken when the connection ends.
    pub(super) lingers: AtomicBool,
    /// When the wait began that it is in, in milliseconds since the listener began.
    pub(super) since: AtomicU64,
    /// Whether it waits for its client to take more of an answer.
    pub(super) takes: AtomicBool,
    /// How often the connection had its turn.
    pub(super) turns: AtomicU32,
    /// Whether it is to end once no request is here, and whom to tell.
    stops: AtomicBool,
    connection: AtomicWaker,
}

/// Who has said nothing for less than this many milliseconds keeps his place: his request may be on its way.
const GRACE: u64 = 500;

/// And so does who has taken some of his answer within this many.
const TAKING: u64 = 10_000;

/// Nothing has arrived yet.
pub(super) const FRESH: u8 = 0;
/// A head is arriving.
pub(super) const HEAD: u8 = 1;
/// A request is being worked on.
pub(super) const BUSY: u8 = 2;
/// An answer is being sent.
pub(super) const SENDING: u8 = 3;
/// Between two requests.
pub(super) const IDLE: u8 = 4;

impl Stage {
    /// Of a connection that begins at this millisecond.
    pub(super) fn since(now: u64) -> Self {
        Self(Arc::new(Standing {
            at: AtomicU8::new(FRESH),
            lingers: AtomicBool::new(false),
            since: AtomicU64::new(now),
            takes: AtomicBool::new(false),
            turns: AtomicU32::new(0),
            stops: AtomicBool::new(false),
            connection: AtomicWaker::new(),
        }))
    }

    /// The connection is busy until the result is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.put(BUSY);
        Busy(self.clone())
    }

    /// Its wait begins now.
    pub(super) fn begin(&self, pace: Pace) {
        self.0.since.store(pace.now(), Ordering::Relaxed);
    }

    /// The connection has its turn.
    pub(super) fn turn(&self) {
        self.0.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Has the connection end once no request is here.
    pub(super) fn stop(&self) {
        self.0.stops.store(true, Ordering::SeqCst);
        self.0.connection.wake();
    }

    /// Ready once the connection is to end. Asked by one task at a time.
    ///
    /// Each request passes here, so that it is by connection: what all of them ask together is a lock among all threads.
    pub(super) fn poll_stops(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.connection.register(cx.waker());
        if self.0.stops.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// From when on its client may be called silent, if it waits for him, by the clock of its pace.
    pub(super) fn silent_from(&self) -> Option<u64> {
        let grace = match (self.get(), self.0.takes.load(Ordering::Relaxed)) {
            (BUSY, _) | (SENDING, false) => return None,
            (_, true) => TAKING,
            (_, false) => GRACE,
        };
        Some(self.0.since.load(Ordering::Relaxed).saturating_add(grace))
    }

    /// Whether no request is here.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.get(), SENDING | IDLE)
    }

    pub(super) fn get(&self) -> u8 {
        self.0.at.load(Ordering::Relaxed)
    }

    pub(super) fn put(&self, stage: u8) {
        self.0.at.store(stage, Ordering::Relaxed);
    }
}

/// A request that is being worked on.
#[derive(Debug)]
pub(super) struct Busy(Stage);

impl Busy {
    /// The rest of the request was not waited for. It is taken before the connection ends, as far as that is reasonable:
    /// else the answer may be lost, because a connection that is closed before everything was read is reset.
    pub(super) fn lingers(&self) {
        self.0.0.lingers.store(true, Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.put(SENDING);
    }
}

pin_project! {
    /// The body of an answer; the request is done when it is dropped.
    pub(super) struct UntilSent<B> {
        #[pin]
        body: B,
        busy: Busy,
    }
}

impl<B> UntilSent<B> {
    pub(super) fn new(body: B, busy: Busy) -> Self {
        Self { body, busy }
    }
}

impl<B: Body> Body for UntilSent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
