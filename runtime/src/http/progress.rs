//! Tracks what a connection waits for, since when, and how long its client may take.
//!
//! Three waits depend on the client: for a request's head, for the next request on a kept
//! connection, and for the client to read what is written to it. The stream reports bytes, the
//! service reports requests, and a watcher turns both into deadlines. Bodies have their own
//! deadline, in `body`.

use super::last_rest::LastRest;
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, sleep_until},
};

/// What the client must do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The rest of a request's head.
    Head,
    /// Another request.
    Idle,
    /// To read what is written to it.
    Write,
}

impl Wait {
    /// The value of the metric's label.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Write => "write",
        }
    }
}

/// How long each wait may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) head: Duration,
    pub(super) idle: Duration,
    pub(super) write: Duration,
}

impl Patience {
    /// The same time for all.
    pub(super) const fn of(each: Duration) -> Self {
        Self {
            head: each,
            idle: each,
            write: each,
        }
    }

    const fn with(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Head => self.head,
            Wait::Idle => self.idle,
            Wait::Write => self.write,
        }
    }

    fn shortest(&self) -> Duration {
        self.head.min(self.idle).min(self.write)
    }
}

/// What one connection waits for. Shared by its stream, its requests and its watcher.
#[derive(Debug)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Requests whose answer is not complete, and bodies that are not read to their end.
    in_flight: usize,
    /// When the first byte of the current head came; for the first head, when the connection began.
    head_since: Option<Instant>,
    idle_since: Instant,
    /// Since when the client has read none of the bytes that wait for it.
    stalled_since: Option<Instant>,
    /// Whether the client may still send a body after the last answer.
    is_body_due: bool,
}

impl Progress {
    /// A connection that begins now.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            in_flight: 0,
            head_since: Some(now),
            idle_since: now,
            stalled_since: None,
            is_body_due: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request's head is complete. The server is at work until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        let mut state = self.state();
        state.in_flight += 1;
        state.head_since = None;
        InFlight(Arc::clone(self))
    }

    fn read_bytes(&self) {
        let mut state = self.state();
        // Before the answer is complete, bytes belong to its body or to a pipelined request.
        if state.in_flight == 0 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    fn wrote_bytes(&self) {
        let mut state = self.state();
        state.stalled_since = None;
        // The handler may have ended long before its answer was written.
        if state.in_flight == 0 {
            state.idle_since = Instant::now();
        }
    }

    fn cannot_write(&self) {
        self.state().stalled_since.get_or_insert_with(Instant::now);
    }

    fn is_body_due(&self) -> bool {
        self.state().is_body_due
    }

    fn is_stalled(&self) -> bool {
        self.state().stalled_since.is_some()
    }

    /// What the client must do, and since when; `None` while the server is at work.
    pub(super) fn waiting(&self) -> Option<(Wait, Instant)> {
        let state = self.state();
        match (state.stalled_since, state.in_flight, state.head_since) {
            (Some(since), ..) => Some((Wait::Write, since)),
            (None, 0, Some(since)) => Some((Wait::Head, since)),
            (None, 0, None) => Some((Wait::Idle, state.idle_since)),
            (None, ..) => None,
        }
    }

    /// Completes when the client has exceeded its time.
    pub(super) async fn overdue(&self, patience: Patience) -> Wait {
        loop {
            let now = Instant::now();
            // A wait that begins later cannot end before the shortest time from now. So looking
            // again by then misses no deadline, and no request has to set or clear a timer.
            let mut next = now + patience.shortest();
            if let Some((wait, since)) = self.waiting() {
                let deadline = since + patience.with(wait);
                if deadline <= now {
                    return wait;
                }
                next = next.min(deadline);
            }
            sleep_until(next).await;
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Progress>);

impl InFlight {
    /// The connection ends with this answer, although the client may still send the request's body.
    pub(super) fn leave_body(&self) {
        self.0.state().is_body_due = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        if state.in_flight == 0 {
            state.idle_since = Instant::now();
        }
    }
}

/// A stream to a client.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Makes the system drop unsent bytes when the stream is closed.
    fn discard_unsent(&self);
}

impl Stream for TcpStream {
    fn discard_unsent(&self) {
        // Without it, the kernel only keeps some bytes a little longer.
        let _ = self.set_zero_linger();
    }
}

/// A stream that reports when bytes move.
#[derive(Debug)]
pub(super) struct Observed<S: Stream> {
    stream: S,
    progress: Arc<Progress>,
    last_rest: Option<LastRest>,
}

impl<S: Stream> Observed<S> {
    pub(super) const fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self {
            stream,
            progress,
            last_rest: None,
        }
    }

    fn note(&self, written: &Poll<std::io::Result<usize>>) {
        match written {
            Poll::Pending => self.progress.cannot_write(),
            // Zero bytes are no progress of the client.
            Poll::Ready(Ok(1..)) => self.progress.wrote_bytes(),
            Poll::Ready(_) => {}
        }
    }
}

impl<S: Stream> Drop for Observed<S> {
    fn drop(&mut self) {
        // The client does not read; a normal close would keep its bytes in the kernel.
        if self.progress.is_stalled() {
            self.stream.discard_unsent();
        }
    }
}

impl<S: Stream> AsyncRead for Observed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.progress.read_bytes();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for Observed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        if this.last_rest.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if !this.progress.is_body_due() {
                return Poll::Ready(Ok(()));
            }
        }
        // The client knows now that this is the end. Closing before it stops sending would fail its
        // writes, and might lose the answer.
        let rest = this.last_rest.get_or_insert_with(LastRest::new);
        rest.poll_skip(&mut this.stream, cx).map(Ok)
    }
}
