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
    /// JSON text, and that of the object whose members are beside it.
    Data(Bytes, Option<Bytes>),
    /// Success without data.
    Done,
}

/// Answers 200 with this data; 500 when it cannot be serialized.
pub fn ok<T: Serialize>(data: T) -> Response {
    match serde_json::to_vec(&data) {
        Ok(text) => with(Reply::Data(text.into(), None)),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// Answers 201 with the data of what was created.
pub fn created<T: Serialize>(data: T) -> Response {
    (StatusCode::CREATED, ok(data)).into_response()
}

/// Answers 200 with this data, and the members of `beside` next to it; 500 when they cannot be
/// serialized.
pub fn ok_beside<T: Serialize, B: Serialize>(data: T, beside: B) -> Response {
    match (serde_json::to_vec(&data), serde_json::to_vec(&beside)) {
        (Ok(data), Ok(beside)) => with(Reply::Data(data.into(), Some(beside.into()))),
        (Err(error), _) | (_, Err(error)) => ApiError::internal(error).into_response(),
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
        Reply::Data(text, None) => dialect.data(status, &text),
        Reply::Data(text, Some(beside)) => dialect.data_beside(status, &text, &beside),
        Reply::Done => dialect.done(),
    })
}
