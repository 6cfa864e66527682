//! Reads the rest of a request's body that the handler left unread.
//!
//! An answer may be ready before the body has arrived: an invalid token, an unknown path, a body
//! that is too large. Closing the connection would lose the next request on it, which behind a
//! proxy may be another caller's. So the rest is read and dropped while the answer goes out, and
//! the connection is kept. If the rest may be too long, or the client waits for `100 Continue`
//! before it sends, the answer says `Connection: close`. Bytes that still arrive are read before
//! the connection is closed.

use super::{BODY_TIMEOUT, last_rest::MAX_LAST_REST_BYTES, progress::InFlight};
use axum::{
    http::{HeaderValue, Response, header, request::Parts},
    response::Response as AxumResponse,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::runtime::Handle;

/// Longest rest that is read to keep the connection: the largest body that any route accepts.
pub(super) const MAX_REST_BYTES: u64 = 1024 * 1024;

/// The place to which a handler's unread body returns.
#[derive(Debug, Default)]
struct Home {
    left: Mutex<Option<Incoming>>,
    begun: AtomicBool,
}

/// A body that is lent to a handler.
#[derive(Debug)]
pub(super) struct Lent {
    body: Option<Incoming>,
    home: Arc<Home>,
}

/// Takes back what a handler left of a body.
#[derive(Debug)]
pub(super) struct Lender {
    home: Arc<Home>,
    /// Whether the client expects `100 Continue` before it sends the body.
    asks_first: bool,
}

/// Lends a body to a handler.
pub(super) fn lend(head: &Parts, body: Incoming) -> (Lent, Lender) {
    let home = Arc::<Home>::default();
    let expect = head.headers.get(header::EXPECT);
    let lender = Lender {
        home: Arc::clone(&home),
        asks_first: expect.is_some_and(|value| {
            let value = value.as_bytes();
            value.eq_ignore_ascii_case(b"100-continue")
        }),
    };
    // Without a body, there is nothing to give back.
    let body = (!body.is_end_stream()).then_some(body);
    (Lent { body, home }, lender)
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.home.begun.store(true, Ordering::Relaxed);
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        // After the end or an error, nothing is left to give back.
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.as_ref().map(Body::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            let left = self.home.left.lock();
            *left.unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

impl Lender {
    /// Wraps the answer, which reads the rest of the body once the connection has taken it.
    pub(super) fn conclude(
        self,
        mut answer: AxumResponse,
        in_flight: InFlight,
    ) -> Response<Answer> {
        let left = self.home.left.lock();
        let mut rest = left.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(body) = &rest {
            // After a final answer this client sends no body; reading would ask it for one.
            let unasked = self.asks_first && !self.home.begun.load(Ordering::Relaxed);
            let short = |bytes| bytes <= MAX_REST_BYTES;
            if unasked || !body.size_hint().exact().is_some_and(short) {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
                in_flight.leave_body();
            }
            if unasked {
                rest = None;
            }
        }
        answer.map(|body| Answer {
            body,
            rest,
            in_flight: Some(in_flight),
        })
    }
}

/// The body of an answer. It is dropped when the connection has taken the answer.
#[derive(Debug)]
pub(super) struct Answer {
    body: axum::body::Body,
    rest: Option<Incoming>,
    in_flight: Option<InFlight>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take() else {
            return;
        };
        let in_flight = self.in_flight.take();
        // When the program ends, there is no runtime left to read it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(read_rest(rest, in_flight));
        }
    }
}

/// Reads a body to its end, within limits of bytes and time.
async fn read_rest(mut rest: Incoming, in_flight: Option<InFlight>) {
    let reading = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = rest.frame().await {
            bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            if bytes > MAX_LAST_REST_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(BODY_TIMEOUT, reading).await;
    drop(in_flight);
}
