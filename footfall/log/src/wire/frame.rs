//! Frames: a length, then that many bytes. Reads requests from a connection and takes their header apart.
//!
//! The rule to keep: memory follows the bytes that arrived, never the length that was claimed.

use std::{io, sync::Arc, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut, TryGetError};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::{
    apis::Api,
    shape::{self, Malformed},
};

/// Bytes of the length in front of a frame.
const LENGTH_BYTES: usize = 4;
/// What is read at least at once.
const READ_BYTES: usize = 8 * 1024;
/// Frames up to this size need no permit: each connection has that much memory of its own.
pub(super) const OWN_BYTES: usize = 64 * 1024;
/// A frame that began must be complete after this time.
const FRAME_DEADLINE: Duration = Duration::from_secs(30);

/// Why no frame was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The connection failed or ended within a frame.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A length that is negative or above the limit.
    #[error("a frame of {claimed} bytes, where {limit} are allowed")]
    Length {
        /// What the frame claims.
        claimed: i32,
        /// What is allowed.
        limit: usize,
    },
    /// It began and did not end in time.
    #[error("a frame did not arrive in time")]
    Slow,
}

/// A frame without its length, and the memory that it may use.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) bytes: Bytes,
    /// Held until the answer was sent.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// What was read of a connection and belongs to no frame yet.
#[derive(Debug)]
pub(super) struct FrameReader {
    buffer: BytesMut,
    /// Bytes of all large frames together, over all connections.
    memory: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    deadline: Option<Instant>,
}

impl FrameReader {
    pub(super) fn new(memory: Arc<Semaphore>) -> Self {
        Self {
            buffer: BytesMut::new(),
            memory,
            permit: None,
            deadline: None,
        }
    }

    /// The next frame; `None` at the end of the connection. Dropping the future loses nothing.
    pub(super) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        limit: usize,
    ) -> Result<Option<Frame>, FrameError> {
        loop {
            // Also for a frame whose beginning came with the end of the one before.
            if self.deadline.is_none() && !self.buffer.is_empty() {
                self.deadline = Some(Instant::now() + FRAME_DEADLINE);
            }
            if let Some(length) = self.length(limit)? {
                if self.buffer.len() >= LENGTH_BYTES + length {
                    self.buffer.advance(LENGTH_BYTES);
                    self.deadline = None;
                    let bytes = self.buffer.split_to(length).freeze();
                    if length > OWN_BYTES {
                        // What was read beyond it lies in the same memory and would keep all of it, permit or not.
                        self.buffer = BytesMut::from(&self.buffer[..]);
                    }
                    return Ok(Some(Frame {
                        bytes,
                        permit: self.permit.take(),
                    }));
                }
                if length > OWN_BYTES && self.permit.is_none() {
                    self.permit = Some(self.allow(length).await?);
                }
                // Grows with what arrived, at most twofold.
                let missing = LENGTH_BYTES + length - self.buffer.len();
                let step = self.buffer.len().max(READ_BYTES);
                self.buffer.reserve(missing.min(step));
            } else {
                self.buffer.reserve(READ_BYTES);
            }
            let read = stream.read_buf(&mut self.buffer);
            let read = match self.deadline {
                Some(deadline) => timeout_at(deadline, read)
                    .await
                    .map_err(|_| FrameError::Slow)??,
                None => read.await?,
            };
            if read == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
                };
            }
        }
    }

    /// The length that the next frame claims, once it is there.
    fn length(&self, limit: usize) -> Result<Option<usize>, FrameError> {
        let Some(length) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let claimed = i32::from_be_bytes(*length);
        match usize::try_from(claimed) {
            Ok(length) if length <= limit => Ok(Some(length)),
            _ => Err(FrameError::Length { claimed, limit }),
        }
    }

    /// Waits for memory. A peer that claims a large frame and does not send it holds a share of the memory only until
    /// the frame's deadline.
    async fn allow(&self, length: usize) -> Result<OwnedSemaphorePermit, FrameError> {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let permit = self.memory.clone().acquire_many_owned(length);
        let deadline = self
            .deadline
            .unwrap_or_else(|| Instant::now() + FRAME_DEADLINE);
        timeout_at(deadline, permit)
            .await
            .map_err(|_| FrameError::Slow)?
            .map_err(|error| io::Error::other(error).into())
    }
}

/// What stands before the body of every request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) key: i16,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) client_id: Option<String>,
}

/// Bytes that are no request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadRequest {
    /// The header ends too early or has text that is no UTF-8.
    #[error("the request has no valid header")]
    Header,
    /// The body does not follow its layout.
    #[error("{0}")]
    Body(#[from] Malformed),
    /// The body follows its layout and is not valid otherwise, text that is no UTF-8 for example.
    #[error("the request is not valid: {0}")]
    Content(String),
}

impl From<TryGetError> for BadRequest {
    fn from(_: TryGetError) -> Self {
        Self::Header
    }
}

impl Head {
    /// Reads the fields that every version has, and leaves `frame` after them.
    pub(super) fn read(frame: &mut Bytes) -> Result<Self, BadRequest> {
        let key = frame.try_get_i16()?;
        let version = frame.try_get_i16()?;
        let correlation_id = frame.try_get_i32()?;
        let client_id = match frame.try_get_i16()? {
            -1 => None,
            length => {
                let length = usize::try_from(length).map_err(|_| BadRequest::Header)?;
                if length > frame.len() {
                    return Err(BadRequest::Header);
                }
                let text = frame.split_to(length);
                let text = std::str::from_utf8(&text).map_err(|_| BadRequest::Header)?;
                Some(text.to_owned())
            }
        };
        Ok(Self {
            key,
            version,
            correlation_id,
            client_id,
        })
    }
}

/// Passes over the tagged fields of a request's header, which newer versions have and nothing needs.
pub(super) fn skip_header_tags(
    api: &Api,
    version: i16,
    frame: &mut Bytes,
) -> Result<(), BadRequest> {
    if version >= api.flexible {
        let length = shape::tags(frame)?;
        frame.advance(length);
    }
    Ok(())
}

/// A request's body, measured and decoded.
pub(crate) fn decode<Q: Decodable>(
    api: &Api,
    version: i16,
    body: &mut Bytes,
) -> Result<Q, BadRequest> {
    shape::measure(api, version, body)?;
    Q::decode(body, version).map_err(|error| BadRequest::Content(error.to_string()))
}

/// An answer as a frame with its length in front.
pub(crate) fn encode<R>(head: &Head, version: i16, response: &R) -> Result<Bytes, EncodeError>
where
    R: Encodable + HeaderVersion,
{
    let failed = |error: &dyn std::fmt::Display| EncodeError {
        key: head.key,
        version,
        reason: error.to_string(),
    };
    let tagged = R::header_version(version) >= 1;
    let size = response
        .compute_size(version)
        .map_err(|error| failed(&error))?;
    let length = size_of::<i32>() + usize::from(tagged) + size;
    let claimed = i32::try_from(length).map_err(|error| failed(&error))?;
    let mut frame = BytesMut::with_capacity(LENGTH_BYTES + length);
    frame.extend_from_slice(&claimed.to_be_bytes());
    frame.extend_from_slice(&head.correlation_id.to_be_bytes());
    if tagged {
        frame.extend_from_slice(&[0]);
    }
    response
        .encode(&mut frame, version)
        .map_err(|error| failed(&error))?;
    Ok(frame.freeze())
}

/// An answer that cannot be written in the version that was asked for: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("the answer to request {key} version {version} cannot be written: {reason}")]
pub(crate) struct EncodeError {
    key: i16,
    version: i16,
    reason: String,
}
