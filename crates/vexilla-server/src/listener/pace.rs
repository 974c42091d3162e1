//! A connection that is given up when its client is too slow.
//!
//! hyper has one timer for both a request's head and the wait between requests. Here they are two, and a client that
//! takes nothing of its answer is noticed as well. Time spent on a request itself counts for neither: the request's
//! own limits apply.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::stage::{BUSY, FRESH, HEAD, IDLE, SENDING, Stage};

/// How long each wait may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) head: Duration,
    idle: Duration,
    /// When the listener began.
    epoch: Instant,
}

impl Pace {
    pub(super) fn new(head: Duration, idle: Duration) -> Self {
        Self { head, idle, epoch: Instant::now() }
    }

    /// Other times, counted since the same moment.
    pub(super) fn with(self, head: Duration, idle: Duration) -> Self {
        Self { head, idle, ..self }
    }

    /// The stage of a connection that begins now.
    pub(super) fn stage(&self) -> Stage {
        Stage::since(self.millis(Instant::now()))
    }

    /// Milliseconds since the listener began.
    pub(super) fn now(&self) -> u64 {
        self.millis(Instant::now())
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }
}

/// How long the rest of a refused request is taken.
const LINGER: Duration = Duration::from_secs(2);

/// How much of it.
const LINGER_BYTES: usize = 8 << 20;

/// Up to so many bytes are handed to the system in one piece: copying them costs less than naming several pieces.
const ONE_PIECE: usize = 2 << 10;

/// For how many turns the end of what a client says is kept to ourselves while its request is worked on.
///
/// It may have closed its sending half only, and waits for the answer: Flagr gives it. What is decided here is answered by
/// then. Who is still waiting is taken to be gone, so that nobody works for him.
const END_TURNS: u32 = 2;

/// What the timer runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Head,
    Request,
    Reader,
    End,
}

pin_project! {
    /// A stream with its timer.
    pub(super) struct Paced<S> {
        #[pin]
        stream: S,
        #[pin]
        timer: Sleep,
        waiting: Option<Waiting>,
        deadline: Instant,
        pace: Pace,
        stage: Stage,
        // At which turn the client's end was seen, while its request was worked on.
        end: Option<u32>,
        // Set once nothing more is sent: how much is still taken.
        rest: Option<usize>,
    }
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, pace: Pace, stage: Stage) -> Self {
        let deadline = Instant::now() + pace.head;
        let timer = tokio::time::sleep_until(deadline);
        let waiting = Some(Waiting::Head);
        Self { stream, timer, waiting, deadline, pace, stage, end: None, rest: None }
    }

    /// Waits, unless the time for it is over. The time counts from the first call for the same thing.
    fn wait(self: Pin<&mut Self>, cx: &mut Context<'_>, what: Waiting) -> Poll<io::Error> {
        let mut this = self.project();
        if *this.waiting != Some(what) {
            let limit = match what {
                Waiting::Head => this.pace.head,
                Waiting::Request | Waiting::Reader => this.pace.idle,
                Waiting::End => LINGER,
            };
            let now = Instant::now();
            this.stage.0.since.store(this.pace.millis(now), Ordering::Relaxed);
            this.stage.0.takes.store(what == Waiting::Reader, Ordering::Relaxed);
            *this.deadline = now + limit;
            *this.waiting = Some(what);
            // Setting it anew for each request would cost more than to look again when it is over.
            if *this.deadline < this.timer.deadline() {
                this.timer.as_mut().reset(*this.deadline);
            }
        }
        loop {
            ready!(this.timer.as_mut().poll(cx));
            if *this.deadline <= this.timer.deadline() {
                let reason = "the client is too slow";
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, reason));
            }
            this.timer.as_mut().reset(*this.deadline);
        }
    }

    /// Whether the client's end is not told yet.
    fn keeps_end(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        if this.stage.get() != BUSY {
            return false;
        }
        let turn = this.stage.0.turns.load(Ordering::Relaxed);
        turn.wrapping_sub(*this.end.get_or_insert(turn)) < END_TURNS
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
        let before = buffer.filled().len();
        match self.as_mut().project().stream.poll_read(cx, buffer) {
            Poll::Ready(Ok(()))
                if buffer.filled().len() == before
                    && buffer.remaining() > 0
                    && self.as_mut().keeps_end() =>
            {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(result) => {
                let this = self.project();
                if this.stage.get() == FRESH {
                    this.stage.put(HEAD); // its time has begun with the connection
                } else if this.stage.is_between() {
                    this.stage.put(HEAD);
                    if *this.waiting != Some(Waiting::Reader) {
                        *this.waiting = None; // the time for this head begins
                    }
                }
                Poll::Ready(result)
            }
            // The answer before is still being taken, and its timer runs.
            Poll::Pending if self.waiting == Some(Waiting::Reader) => Poll::Pending,
            Poll::Pending => match self.stage.get() {
                FRESH | HEAD => self.wait(cx, Waiting::Head).map(Err),
                SENDING | IDLE => self.wait(cx, Waiting::Request).map(Err),
                _ => {
                    *self.project().waiting = None;
                    Poll::Pending
                }
            },
        }
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncWrite for Paced<S> {
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
        if slices.len() > 1 && slices.iter().map(|it| it.len()).sum::<usize>() <= ONE_PIECE {
            let mut room = [MaybeUninit::uninit(); ONE_PIECE];
            let mut piece = ReadBuf::uninit(&mut room);
            for slice in slices {
                piece.put_slice(slice);
            }
            return self.poll_write(cx, piece.filled());
        }
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
            Poll::Ready(Ok(())) if self.stage.is_between() => {
                self.stage.put(IDLE);
                match self.wait(cx, Waiting::Request) {
                    Poll::Ready(error) => Poll::Ready(Err(error)),
                    Poll::Pending => Poll::Ready(Ok(())),
                }
            }
            result => result,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.rest.is_none() {
            let result = self.as_mut().project().stream.poll_shutdown(cx);
            ready!(self.as_mut().written(cx, result))?;
            // A head that is cut short was refused, too.
            let lingers = self.stage.0.lingers.load(Ordering::Relaxed) || self.stage.get() == HEAD;
            *self.as_mut().project().rest = Some(if lingers { LINGER_BYTES } else { 0 });
        }
        self.poll_rest(cx).map(Ok)
    }
}

impl<S: AsyncRead> Paced<S> {
    /// Takes what still comes.
    fn poll_rest(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut room = [MaybeUninit::uninit(); 4 << 10];
        while self.rest.is_some_and(|it| it > 0) {
            let mut buffer = ReadBuf::uninit(&mut room);
            let this = self.as_mut().project();
            match this.stream.poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    *this.rest = this.rest.map(|it| it.saturating_sub(buffer.filled().len()));
                }
                Poll::Ready(_) => break,
                Poll::Pending => return self.wait(cx, Waiting::End).map(drop),
            }
        }
        Poll::Ready(())
    }
}
