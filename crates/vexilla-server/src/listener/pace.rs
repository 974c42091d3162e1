//! A connection that is given up when its client is too slow.
//!
//! hyper has one timer for both a request's head and the wait between requests. Here they are two, and a client that
//! takes nothing of its answer is noticed as well. Time spent on a request itself counts for neither: the request's
//! own limits apply.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Where a connection stands: shared by its stream, its requests, and whoever needs its place.
#[derive(Debug, Clone)]
pub(super) struct Stage(Arc<Standing>);

#[derive(Debug)]
struct Standing {
    at: AtomicU8,
    /// Whether what still comes is to be taken when the connection ends.
    lingers: AtomicBool,
    /// When the wait began that it is in, in milliseconds since the listener began.
    since: AtomicU64,
    /// Whether it waits for its client to take more of an answer.
    takes: AtomicBool,
    /// How often the connection had its turn.
    turns: AtomicU32,
    /// Whether it is to end once no request is here, and whom to tell.
    stops: AtomicBool,
    connection: AtomicWaker,
}

/// Who has said nothing for less than this many milliseconds keeps his place: his request may be on its way.
const GRACE: u64 = 500;

/// And so does who has taken some of his answer within this many.
const TAKING: u64 = 10_000;

/// Nothing has arrived yet.
const FRESH: u8 = 0;
/// A head is arriving.
const HEAD: u8 = 1;
/// A request is being worked on.
const BUSY: u8 = 2;
/// An answer is being sent.
const SENDING: u8 = 3;
/// Between two requests.
const IDLE: u8 = 4;

impl Stage {
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
    fn is_between(&self) -> bool {
        matches!(self.get(), SENDING | IDLE)
    }

    fn get(&self) -> u8 {
        self.0.at.load(Ordering::Relaxed)
    }

    fn put(&self, stage: u8) {
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
        Stage(Arc::new(Standing {
            at: AtomicU8::new(FRESH),
            lingers: AtomicBool::new(false),
            since: AtomicU64::new(self.millis(Instant::now())),
            takes: AtomicBool::new(false),
            turns: AtomicU32::new(0),
            stops: AtomicBool::new(false),
            connection: AtomicWaker::new(),
        }))
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
