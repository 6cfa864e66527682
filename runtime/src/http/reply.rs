//! Answers of handlers: data without an envelope. The dialect of the path writes the body.

use super::{ApiError, Dialect};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;

/// The content of an answer, until [`finish`](super::finish) writes it in a dialect.
#[derive(Clone, Debug)]
enum Reply {
    /// JSON text.
    Data(Bytes),
    /// Success without data.
    Done,
}

/// Answers 200 with this data; 500 when it cannot be serialized.
pub fn ok<T: Serialize>(data: T) -> Response {
    match serde_json::to_vec(&data) {
        Ok(text) => with(Reply::Data(text.into())),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// Answers 200 to a change that has nothing to return.
#[must_use]
pub fn done() -> Response {
    with(Reply::Done)
}

fn with(reply: Reply) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(reply);
    response
}

/// The body of an answer from [`ok`] or [`done`], in that dialect; `None` for every other answer.
pub(super) fn take(response: &mut Response, dialect: &dyn Dialect) -> Option<Vec<u8>> {
    let status: StatusCode = response.status();
    let reply = response.extensions_mut().remove::<Reply>()?;
    Some(match reply {
        Reply::Data(text) => dialect.data(status, &text),
        Reply::Done => dialect.done(),
    })
}
