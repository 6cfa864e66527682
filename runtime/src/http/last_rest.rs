//! Reads and drops what a client still sends after the server has shut down its side.

use super::BODY_TIMEOUT;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Sleep, sleep},
};

/// Most bytes that are read before a connection is closed. A client that is still sending when its
/// connection is closed may lose the answer.
pub(super) const MAX_LAST_REST_BYTES: u64 = 8 * 1024 * 1024;

/// Reads the last bytes of one client.
#[derive(Debug)]
pub(super) struct LastRest {
    bytes: u64,
    deadline: Pin<Box<Sleep>>,
}

impl LastRest {
    pub(super) fn new() -> Self {
        Self {
            bytes: 0,
            deadline: Box::pin(sleep(BODY_TIMEOUT)),
        }
    }

    /// Reads and drops bytes until the client closes too, within limits of bytes and time.
    pub(super) fn poll_skip(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut bytes = [0; 4 * 1024];
        while self.bytes <= MAX_LAST_REST_BYTES && self.deadline.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            let count = buffer.filled().len();
            if read.is_err() || count == 0 {
                break;
            }
            self.bytes += count as u64;
        }
        Poll::Ready(())
    }
}
