//! The head of a record batch: 61 bytes of fixed layout in front of the records.

use bytes::{Buf as _, TryGetError};

use super::{BatchError, Claim};

/// Bytes in front of the records.
pub(crate) const HEAD_BYTES: usize = 61;
/// Bytes in front of what the length field counts: base offset and the length itself.
const UNCOUNTED_BYTES: usize = 12;
/// Where the checksummed part begins: base offset, length, leader epoch, magic and checksum come before it.
pub(super) const CHECKED_FROM: usize = 21;
/// The only format that today's clients write.
const MAGIC: i8 = 2;

/// The bits of a batch's attributes.
pub(super) const COMPRESSION: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// What a batch says of itself.
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
    /// Timestamp of the first record as it was sent; the others are relative to it.
    pub(crate) base_timestamp_ms: i64,
    /// Largest timestamp, as its producer says.
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

/// The size of the batch that begins here, as its length field says.
pub(super) fn batch_len(bytes: &[u8]) -> Result<usize, BatchError> {
    let mut field = bytes.get(8..).ok_or(BatchError::Corrupt)?;
    let counted = field.try_get_i32().map_err(short)?;
    let counted = usize::try_from(counted).map_err(|_| BatchError::Corrupt)?;
    Ok(UNCOUNTED_BYTES + counted)
}

/// Writes the two fields that are the log's to say.
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
        // Older formats have their magic at the same place, and other fields behind it.
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

    /// The number of the batch's codec, 0 to 7; 0 is none.
    pub(crate) fn compression(&self) -> i16 {
        self.attributes & COMPRESSION
    }

    /// Where an idempotent producer says that the batch belongs. Only for heads that passed [`Head::check_as_sent`].
    pub(crate) fn claim(&self) -> Option<Claim> {
        (self.producer_id >= 0).then_some(Claim {
            producer_id: self.producer_id,
            epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            count: self.count,
        })
    }

    /// Whether the bytes are those that the checksum was made for.
    pub(crate) fn check_checksum(&self, batch: &[u8]) -> Result<(), BatchError> {
        let checked = batch.get(CHECKED_FROM..).ok_or(BatchError::Corrupt)?;
        if crc32c::crc32c(checked) == self.crc {
            Ok(())
        } else {
            Err(BatchError::Corrupt)
        }
    }

    /// Whether a producer may send a batch with this head.
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
        // Offsets are given out by this number, so a gap in the batch would become a gap in the log.
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
