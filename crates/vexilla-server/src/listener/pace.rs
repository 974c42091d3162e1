//! A connection that is given up when its client is too slow.
//!
//! hyper has one timer for both a request's head and the wait between requests. Here they are two, and a client that
//! takes nothing of its answer is noticed as well. Time spent on a request itself counts for neither: the request's
//! own limits apply.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Where a connection stands: shared by its stream and its requests.
#[derive(Debug, Clone)]
pub(super) struct Stage(Arc<AtomicU8>);

/// A head is arriving, or is still to come on a fresh connection.
const HEAD: u8 = 0;
/// A request is being worked on.
const BUSY: u8 = 1;
/// Between two requests.
const IDLE: u8 = 2;

impl Stage {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(HEAD)))
    }

    /// The connection is busy until the result is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.0.store(BUSY, Ordering::Relaxed);
        Busy(self.clone())
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request that is being worked on.
#[derive(Debug)]
pub(super) struct Busy(Stage);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.store(IDLE, Ordering::Relaxed);
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

/// How long each wait may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) head: Duration,
    pub(super) idle: Duration,
}

/// What the timer runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Head,
    Request,
    Reader,
}

pin_project! {
    /// A stream with its timer.
    pub(super) struct Paced<S> {
        #[pin]
        stream: S,
        #[pin]
        timer: Sleep,
        waiting: Option<Waiting>,
        pace: Pace,
        stage: Stage,
    }
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, pace: Pace, stage: Stage) -> Self {
        let timer = tokio::time::sleep(pace.head);
        Self { stream, timer, waiting: Some(Waiting::Head), pace, stage }
    }

    /// Waits, unless the time for it is over. The time counts from the first call for the same thing.
    fn wait(self: Pin<&mut Self>, cx: &mut Context<'_>, what: Waiting) -> Poll<io::Error> {
        let mut this = self.project();
        if *this.waiting != Some(what) {
            let limit = match what {
                Waiting::Head => this.pace.head,
                Waiting::Request | Waiting::Reader => this.pace.idle,
            };
            this.timer.as_mut().reset(Instant::now() + limit);
            *this.waiting = Some(what);
        }
        ready!(this.timer.poll(cx));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client is too slow"))
    }

    /// Some of an answer was taken, or not.
    fn written<T>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => self.wait(cx, Waiting::Reader).map(Err),
            Poll::Ready(result) => {
                let waiting = self.as_mut().project().waiting;
                if *waiting == Some(Waiting::Reader) {
                    *waiting = None;
                }
                Poll::Ready(result)
            }
        }
    }
}

impl<S: AsyncRead> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.as_mut().project().stream.poll_read(cx, buffer) {
            Poll::Ready(result) => {
                let this = self.project();
                if this.stage.get() == IDLE {
                    this.stage.0.store(HEAD, Ordering::Relaxed);
                    if *this.waiting != Some(Waiting::Reader) {
                        *this.waiting = None; // the time for this head begins
                    }
                }
                Poll::Ready(result)
            }
            // The answer before is still being taken, and its timer runs.
            Poll::Pending if self.waiting == Some(Waiting::Reader) => Poll::Pending,
            Poll::Pending => match self.stage.get() {
                HEAD => self.wait(cx, Waiting::Head).map(Err),
                IDLE => self.wait(cx, Waiting::Request).map(Err),
                _ => {
                    *self.project().waiting = None;
                    Poll::Pending
                }
            },
        }
    }
}

impl<S: AsyncWrite> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.as_mut().project().stream.poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.as_mut().project().stream.poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.as_mut().project().stream.poll_flush(cx);
        match self.as_mut().written(cx, result) {
            // hyper does not read again when it goes from an answer to waiting, so that this begins here.
            Poll::Ready(Ok(())) if self.stage.get() == IDLE => {
                match self.wait(cx, Waiting::Request) {
                    Poll::Ready(error) => Poll::Ready(Err(error)),
                    Poll::Pending => Poll::Ready(Ok(())),
                }
            }
            result => result,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.as_mut().project().stream.poll_shutdown(cx);
        self.written(cx, result)
    }
}
