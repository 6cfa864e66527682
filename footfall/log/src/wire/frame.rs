//! Reads requests as frames (a length, then that many bytes), parses their headers, and encodes responses.
//!
//! The rule to keep: allocate memory for the bytes that arrived, never for the length that was claimed.

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

/// Bytes of a frame's length field.
const LENGTH_BYTES: usize = 4;
/// The buffer has at least this much room for a read of a new frame.
const READ_BYTES: usize = 8 * 1024;
/// Frames up to this size need no permit, because each connection has that much memory of its own.
pub(super) const OWN_BYTES: usize = 64 * 1024;
/// A frame must be complete this long after its first byte.
const FRAME_DEADLINE: Duration = Duration::from_secs(30);

/// Why reading a frame failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The connection failed or ended within a frame.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A length that is negative or above the limit.
    #[error("the frame claims {claimed} bytes; the limit is {limit}")]
    Length {
        /// The length that the frame claims.
        claimed: i32,
        /// The largest allowed length.
        limit: usize,
    },
    /// The frame did not end in time.
    #[error("a frame did not arrive in time")]
    Slow,
}

/// A frame without its length field, and its share of the common memory.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) bytes: Bytes,
    /// Held until the response is sent.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// Splits the bytes of a connection into frames.
#[derive(Debug)]
pub(super) struct FrameReader {
    buffer: BytesMut,
    /// Memory for the large frames of all connections, in bytes.
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

    /// Reads the next frame; `None` at the end of the connection. Dropping the future loses no bytes.
    pub(super) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        limit: usize,
    ) -> Result<Option<Frame>, FrameError> {
        loop {
            // The beginning of a frame may arrive with the end of the previous one, so check before each read.
            if self.deadline.is_none() && !self.buffer.is_empty() {
                self.deadline = Some(Instant::now() + FRAME_DEADLINE);
            }
            if let Some(length) = self.length(limit)? {
                if self.buffer.len() >= LENGTH_BYTES + length {
                    self.buffer.advance(LENGTH_BYTES);
                    self.deadline = None;
                    let bytes = self.buffer.split_to(length).freeze();
                    if length > OWN_BYTES {
                        // Copy the bytes after the frame. They share its allocation, and would keep all of it after the
                        // permit is returned.
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
                // Grow with the received bytes, at most by a factor of two.
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

    /// The length that the next frame claims; `None` until it has arrived.
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

    /// Waits for memory. A client that claims a large frame and does not send it holds its share only until the frame's
    /// deadline.
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

/// The header of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) key: i16,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) client_id: Option<String>,
}

/// Why bytes are not a valid request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadRequest {
    /// The header ends too early or has text that is not UTF-8.
    #[error("the request's header is invalid")]
    Header,
    /// The body does not follow its layout.
    #[error("{0}")]
    Body(#[from] Malformed),
    /// The body follows its layout, but its content is invalid: text that is not UTF-8, for example.
    #[error("the request is invalid: {0}")]
    Content(String),
}

impl From<TryGetError> for BadRequest {
    fn from(_: TryGetError) -> Self {
        Self::Header
    }
}

impl Head {
    /// Reads the fields that all versions have, and advances `frame` past them.
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

/// Skips the tagged fields of a request's header, which only newer versions have. The broker does not use them.
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

/// Measures and decodes a request's body.
pub(crate) fn decode<Q: Decodable>(
    api: &Api,
    version: i16,
    body: &mut Bytes,
) -> Result<Q, BadRequest> {
    shape::measure(api, version, body)?;
    Q::decode(body, version).map_err(|error| BadRequest::Content(error.to_string()))
}

/// Encodes a response as a frame with its length.
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

/// A response that cannot be encoded in the requested version, which is a bug of the broker.
#[derive(Debug, thiserror::Error)]
#[error("the response to request {key} version {version} cannot be encoded: {reason}")]
pub(crate) struct EncodeError {
    key: i16,
    version: i16,
    reason: String,
}
