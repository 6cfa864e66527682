//! Record batches in Kafka's format 2: checked before they are stored, read again for times and compaction.
//!
//! A batch is stored as its producer sent it. Only the base offset and the leader epoch are rewritten; they lie outside
//! the checksum. The rule to keep: no length inside a batch is believed before it is compared with the bytes present.

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

/// How large a batch may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of one batch as it was sent, its head included.
    pub(crate) max_batch_bytes: usize,
    /// Bytes of its records after decompression.
    pub(crate) max_inflated_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Kafka's default for `max.message.bytes`, plus what its clients allow themselves on top.
            max_batch_bytes: 1024 * 1024 + 12,
            max_inflated_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Why a batch cannot be appended or read. Each has one error of Kafka's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum BatchError {
    /// `CORRUPT_MESSAGE`: cut off, a wrong checksum, or compressed data that cannot be decompressed.
    #[error("the batch is cut off or damaged")]
    Corrupt,
    /// `INVALID_RECORD`: whole, but not a batch that a producer may send.
    #[error("the batch breaks Kafka's format: {0}")]
    Invalid(&'static str),
    /// `UNSUPPORTED_COMPRESSION_TYPE`.
    #[error("the batch's compression is unknown")]
    Compression,
    /// `MESSAGE_TOO_LARGE`, as sent or decompressed.
    #[error("the batch is larger than the limit")]
    TooLarge,
    /// `INVALID_TIMESTAMP`: only the log itself may write log append times.
    #[error("the batch claims log append times")]
    Timestamp,
    /// `INVALID_TXN_STATE`: the log offers no transactions.
    #[error("the batch belongs to a transaction")]
    Transaction,
    /// `INVALID_PRODUCER_EPOCH`.
    #[error("the batch has a producer id and no epoch")]
    Epoch,
}

/// Where a batch of an idempotent producer belongs, as the producer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Claim {
    /// Given out by `InitProducerId`, not negative.
    pub(crate) producer_id: i64,
    /// Not negative.
    pub(crate) epoch: i16,
    /// Not negative; the sequence of the batch's first record.
    pub(crate) base_sequence: i32,
    /// Its records, at least one.
    pub(crate) count: i32,
}

/// A batch that may be stored: whole, its checksum right, its records counted and readable.
#[derive(Clone, Debug)]
pub(crate) struct CheckedBatch {
    bytes: Bytes,
    head: Head,
    max_timestamp_ms: i64,
    null_key: bool,
}

impl CheckedBatch {
    /// Its bytes with this base offset and leader epoch.
    pub(crate) fn placed(&self, base_offset: i64, leader_epoch: i32) -> Bytes {
        let mut bytes = BytesMut::from(&self.bytes[..]);
        head::place(&mut bytes, base_offset, leader_epoch);
        bytes.freeze()
    }

    /// What the batch says of itself.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Its size in bytes, head included.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The largest timestamp among its records, whatever its head says.
    pub(crate) fn max_timestamp_ms(&self) -> i64 {
        self.max_timestamp_ms
    }

    /// Whether a record has no key, which a compacted topic does not take.
    pub(crate) fn has_null_key(&self) -> bool {
        self.null_key
    }
}

/// Bytes that the batches of one request may come to when they are decompressed, all together. No client sends more than
/// its 100 MB before compression; a request made to harm could keep a processor busy for minutes.
pub(crate) const MAX_REQUEST_INFLATED_BYTES: usize = 256 * 1024 * 1024;

/// The batches of one partition's data in a produce request, in order and at least one, or why none can be appended.
/// `left` is what may still be decompressed for the request, and falls.
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
        // A batch that is refused counts as much as it may have cost.
        *left -= limit;
        let (batch, inflated) = check_one(rest.split_to(length), limit)?;
        *left += limit.saturating_sub(inflated);
        batches.push(batch);
    }
    Ok(batches)
}

/// The first batch of stored ones, and the rest.
pub(crate) fn split(batches: &[u8]) -> Result<(&[u8], &[u8]), BatchError> {
    let length = head::batch_len(batches)?;
    batches.split_at_checked(length).ok_or(BatchError::Corrupt)
}

/// The batch, and how many bytes its records come to.
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
        // Offsets follow from these, and they cannot be rewritten inside compressed data.
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
