//! Checks, reads and builds record batches in Kafka's format 2.
//!
//! A batch is stored as its producer sent it. Only the base offset and the leader epoch are rewritten; the checksum
//! does not cover them. The rule to keep: compare every length inside a batch with the bytes present before using it.

mod build;
mod head;
mod inflate;
#[cfg(test)]
mod tests;
mod walk;

use bytes::{Bytes, BytesMut};

pub(crate) use self::{
    build::{Builder, Codec},
    head::{HEAD_BYTES, Head},
    inflate::inflate,
    walk::{Record, Records},
};

/// Size limits of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of one batch as sent, including its head.
    pub(crate) max_batch_bytes: usize,
    /// Bytes of its records after decompression.
    pub(crate) max_inflated_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Kafka's default for `max.message.bytes`: 1 MB, plus 12 bytes for the base offset and the length.
            max_batch_bytes: 1024 * 1024 + 12,
            max_inflated_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Why a batch cannot be appended or read. Each variant maps to one Kafka error.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum BatchError {
    /// `CORRUPT_MESSAGE`: truncated, a wrong checksum, or data that cannot be decompressed.
    #[error("the batch is truncated or damaged")]
    Corrupt,
    /// `INVALID_RECORD`: complete, but not a batch that a producer may send.
    #[error("the batch breaks Kafka's format: {0}")]
    Invalid(&'static str),
    /// `UNSUPPORTED_COMPRESSION_TYPE`.
    #[error("the batch's compression is unknown")]
    Compression,
    /// `MESSAGE_TOO_LARGE`, as sent or decompressed.
    #[error("the batch is larger than the limit")]
    TooLarge,
    /// `INVALID_TIMESTAMP`: only the log itself may set log append times.
    #[error("the batch claims log append times")]
    Timestamp,
    /// `TRANSACTIONAL_ID_AUTHORIZATION_FAILED`: the log offers no transactions.
    #[error("the batch belongs to a transaction")]
    Transaction,
    /// `INVALID_PRODUCER_EPOCH`.
    #[error("the batch has a producer id and no epoch")]
    Epoch,
}

/// The position that an idempotent producer claims for a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Claim {
    /// Assigned by `InitProducerId`; not negative.
    pub(crate) producer_id: i64,
    /// Not negative.
    pub(crate) epoch: i16,
    /// The sequence of the batch's first record; not negative.
    pub(crate) base_sequence: i32,
    /// The number of records, at least 1.
    pub(crate) count: i32,
}

/// A batch that may be stored: complete, with a correct checksum and readable records.
#[derive(Clone, Debug)]
pub(crate) struct CheckedBatch {
    bytes: Bytes,
    head: Head,
    max_timestamp_ms: i64,
    null_key: bool,
}

impl CheckedBatch {
    /// The bytes of the batch with this base offset and leader epoch.
    pub(crate) fn placed(&self, base_offset: i64, leader_epoch: i32) -> Bytes {
        let mut bytes = BytesMut::from(&self.bytes[..]);
        head::place(&mut bytes, base_offset, leader_epoch);
        bytes.freeze()
    }

    /// The head of the batch.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// The size in bytes, including the head.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The largest timestamp among the records. The value in the head is not used: the producer may have set it wrong.
    pub(crate) fn max_timestamp_ms(&self) -> i64 {
        self.max_timestamp_ms
    }

    /// Whether a record has no key. A compacted topic refuses such a batch.
    pub(crate) fn has_null_key(&self) -> bool {
        self.null_key
    }
}

/// The limit on the decompressed size of all batches of one request. No client sends more than 100 MB of uncompressed
/// records, and a malicious request could otherwise keep a processor busy for minutes.
pub(crate) const MAX_REQUEST_INFLATED_BYTES: usize = 256 * 1024 * 1024;

/// Checks the batches of one partition in a produce request. Returns them in order, at least one; one bad batch refuses
/// them all. `left` is the number of bytes that the request may still decompress, and this call reduces it.
pub(crate) fn check(
    data: Bytes,
    limits: &Limits,
    left: &mut usize,
) -> Result<Vec<CheckedBatch>, BatchError> {
    let mut rest = data;
    if rest.is_empty() {
        return Err(BatchError::Invalid("no batch"));
    }
    let mut batches = Vec::new();
    while !rest.is_empty() {
        let length = head::batch_len(&rest)?;
        if length > rest.len() {
            return Err(BatchError::Corrupt);
        }
        if length > limits.max_batch_bytes {
            return Err(BatchError::TooLarge);
        }
        let limit = limits.max_inflated_bytes.min(*left);
        // Charge the whole limit first: a refused batch may have cost that much work.
        *left -= limit;
        let (batch, inflated) = check_one(rest.split_to(length), limit)?;
        *left += limit.saturating_sub(inflated);
        batches.push(batch);
    }
    Ok(batches)
}

/// Splits stored batches into the first one and the rest.
pub(crate) fn split(batches: &[u8]) -> Result<(&[u8], &[u8]), BatchError> {
    let length = head::batch_len(batches)?;
    batches.split_at_checked(length).ok_or(BatchError::Corrupt)
}

/// Checks one batch. Also returns the decompressed size of its records.
fn check_one(bytes: Bytes, limit: usize) -> Result<(CheckedBatch, usize), BatchError> {
    let head = Head::read(&bytes)?;
    head.check_checksum(&bytes)?;
    head.check_as_sent()?;
    let body = bytes.get(HEAD_BYTES..).ok_or(BatchError::Corrupt)?;
    let inflated = inflate(head.compression(), body, limit)?;
    let mut max_timestamp_ms = i64::MIN;
    let mut null_key = false;
    let mut expected_delta = 0;
    let mut records = Records::new(&head, &inflated);
    while let Some(record) = records.next()? {
        // The stored offsets follow from these deltas, and the log cannot rewrite them inside compressed data.
        if record.offset_delta != expected_delta {
            return Err(BatchError::Invalid("offset deltas are not 0, 1, 2, ..."));
        }
        expected_delta += 1;
        max_timestamp_ms = max_timestamp_ms.max(record.timestamp_ms);
        null_key |= record.key.is_none();
    }
    let inflated_bytes = inflated.len();
    let batch = CheckedBatch {
        bytes,
        head,
        max_timestamp_ms,
        null_key,
    };
    Ok((batch, inflated_bytes))
}
