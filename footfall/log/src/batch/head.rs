//! Reads and checks the head of a record batch: 61 bytes of fixed layout before the records.

use bytes::{Buf as _, TryGetError};

use super::{BatchError, Claim};

/// Bytes before the records.
pub(crate) const HEAD_BYTES: usize = 61;
/// Bytes that the length field does not count: the base offset and the length itself.
const UNCOUNTED_BYTES: usize = 12;
/// The start of the checksummed part. Base offset, length, leader epoch, magic and checksum come before it.
pub(super) const CHECKED_FROM: usize = 21;
/// The only format that current clients write.
const MAGIC: i8 = 2;

/// The bits of a batch's attributes.
pub(super) const COMPRESSION: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// The head of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Head {
    /// Offset of the first record. Meaningless before the batch is stored.
    pub(crate) base_offset: i64,
    /// Kafka's leader epoch of the append.
    pub(crate) leader_epoch: i32,
    crc: u32,
    /// Compression, kind of timestamps, transactional, control.
    pub(crate) attributes: i16,
    /// Distance from the base offset to the last one. Compaction may have removed that record.
    pub(crate) last_offset_delta: i32,
    /// The base of the records' timestamps: the timestamp of the first record as sent.
    pub(crate) base_timestamp_ms: i64,
    /// Largest timestamp, as the producer set it.
    pub(crate) max_timestamp_ms: i64,
    /// -1 for a producer without idempotence.
    pub(crate) producer_id: i64,
    /// -1 for a producer without idempotence.
    pub(crate) producer_epoch: i16,
    /// -1 for a producer without idempotence.
    pub(crate) base_sequence: i32,
    /// Records in the batch.
    pub(crate) count: i32,
}

/// The size of the batch that begins here, according to its length field.
pub(super) fn batch_len(bytes: &[u8]) -> Result<usize, BatchError> {
    let mut field = bytes.get(8..).ok_or(BatchError::Corrupt)?;
    let counted = field.try_get_i32().map_err(short)?;
    let counted = usize::try_from(counted).map_err(|_| BatchError::Corrupt)?;
    Ok(UNCOUNTED_BYTES + counted)
}

/// Writes the two fields that the log sets.
pub(super) fn place(bytes: &mut [u8], base_offset: i64, leader_epoch: i32) {
    if let Some(field) = bytes.get_mut(..8) {
        field.copy_from_slice(&base_offset.to_be_bytes());
    }
    if let Some(field) = bytes.get_mut(12..16) {
        field.copy_from_slice(&leader_epoch.to_be_bytes());
    }
}

fn short(_: TryGetError) -> BatchError {
    BatchError::Corrupt
}

impl Head {
    /// Reads the head of exactly one batch.
    pub(crate) fn read(batch: &[u8]) -> Result<Self, BatchError> {
        if batch_len(batch)? != batch.len() {
            return Err(BatchError::Corrupt);
        }
        let mut rest = batch;
        let base_offset = rest.try_get_i64().map_err(short)?;
        let _length = rest.try_get_i32().map_err(short)?;
        let leader_epoch = rest.try_get_i32().map_err(short)?;
        // Older formats have their magic at the same place, and different fields after it.
        if rest.try_get_i8().map_err(short)? != MAGIC {
            return Err(BatchError::Invalid("its format is not version 2"));
        }
        let crc = rest.try_get_u32().map_err(short)?;
        let fields = |mut rest: &[u8]| -> Result<Self, TryGetError> {
            Ok(Self {
                base_offset,
                leader_epoch,
                crc,
                attributes: rest.try_get_i16()?,
                last_offset_delta: rest.try_get_i32()?,
                base_timestamp_ms: rest.try_get_i64()?,
                max_timestamp_ms: rest.try_get_i64()?,
                producer_id: rest.try_get_i64()?,
                producer_epoch: rest.try_get_i16()?,
                base_sequence: rest.try_get_i32()?,
                count: rest.try_get_i32()?,
            })
        };
        fields(rest).map_err(short)
    }

    /// The number of the batch's codec, 0 to 7; 0 means uncompressed.
    pub(crate) fn compression(&self) -> i16 {
        self.attributes & COMPRESSION
    }

    /// The position that an idempotent producer claims. Only for heads that passed [`Head::check_as_sent`].
    pub(crate) fn claim(&self) -> Option<Claim> {
        (self.producer_id >= 0).then_some(Claim {
            producer_id: self.producer_id,
            epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            count: self.count,
        })
    }

    /// Compares the checksum with the bytes it covers.
    pub(crate) fn check_checksum(&self, batch: &[u8]) -> Result<(), BatchError> {
        let checked = batch.get(CHECKED_FROM..).ok_or(BatchError::Corrupt)?;
        if crc32c::crc32c(checked) == self.crc {
            Ok(())
        } else {
            Err(BatchError::Corrupt)
        }
    }

    /// Checks that a producer may send a batch with this head.
    pub(super) fn check_as_sent(&self) -> Result<(), BatchError> {
        if self.attributes & CONTROL != 0 {
            return Err(BatchError::Invalid("clients may not write control batches"));
        }
        if self.attributes & TRANSACTIONAL != 0 {
            return Err(BatchError::Transaction);
        }
        if self.attributes & LOG_APPEND_TIME != 0 {
            return Err(BatchError::Timestamp);
        }
        // The count decides how many offsets the batch takes, so a gap in the batch would become a gap in the log.
        if self.count < 1 || self.last_offset_delta != self.count - 1 {
            return Err(BatchError::Invalid("its count and last offset disagree"));
        }
        if self.producer_id >= 0 {
            if self.producer_epoch < 0 {
                return Err(BatchError::Epoch);
            }
            if self.base_sequence < 0 {
                return Err(BatchError::Invalid("a producer id without a sequence"));
            }
        }
        Ok(())
    }
}
