//! Batches of records as producers send them: checked, inflated, taken apart.
//!
//! nisshi's own reading only logs a wrong checksum, and panics or asks for any amount of memory over bytes that are
//! damaged. The rule to keep: a batch is whole or refused, with the code that Kafka has for it; no length in it is
//! believed before it is compared with what is there.

use bytes::{Buf as _, Bytes, TryGetError};
use crc_fast::{CrcAlgorithm::Crc32Iscsi, checksum};
use nisshi_sans_io::ErrorCode;

use super::{compression::inflate, sequences::Claim};

/// The only format that clients of today write.
const MAGIC: i8 = 2;
/// The bits of a batch's attributes.
const COMPRESSION: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
/// No record is shorter than this: six lengths and numbers of one byte, and its attributes.
const SHORTEST_RECORD: usize = 7;

/// Records that one producer sent together.
#[derive(Debug)]
pub(super) struct Batch {
    /// Where an idempotent producer says that it belongs.
    pub(super) claim: Option<Claim>,
    /// In order, at least one.
    pub(super) records: Vec<Record>,
}

/// A record without its offset.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) timestamp_ms: i64,
    pub(super) key: Option<Bytes>,
    pub(super) value: Option<Bytes>,
    pub(super) headers: Vec<(Bytes, Option<Bytes>)>,
}

/// All batches that a request has for a partition, or the reason why none of them can be appended.
pub(super) fn read(records: Option<Bytes>) -> Result<Vec<Batch>, ErrorCode> {
    let mut rest = records.unwrap_or_default();
    if rest.is_empty() {
        return Err(ErrorCode::InvalidRecord);
    }
    let mut batches = Vec::new();
    while !rest.is_empty() {
        batches.push(next(&mut rest)?);
    }
    Ok(batches)
}

fn next(rest: &mut Bytes) -> Result<Batch, ErrorCode> {
    let short = |_: TryGetError| ErrorCode::CorruptMessage;
    let _base_offset = rest.try_get_i64().map_err(short)?;
    let length = usize::try_from(rest.try_get_i32().map_err(short)?);
    let length = length.unwrap_or(usize::MAX);
    if length > rest.len() {
        return Err(ErrorCode::CorruptMessage);
    }
    let mut batch = rest.split_to(length);
    let _leader_epoch = batch.try_get_i32().map_err(short)?;
    // Older formats have their magic at the same place.
    if batch.try_get_i8().map_err(short)? != MAGIC {
        return Err(ErrorCode::InvalidRecord);
    }
    let crc = batch.try_get_u32().map_err(short)?;
    if checksum(Crc32Iscsi, &batch) != u64::from(crc) {
        return Err(ErrorCode::CorruptMessage);
    }
    Head::read(&mut batch).map_err(short)?.open(batch)
}

/// What a batch says of itself.
struct Head {
    attributes: i16,
    last_offset_delta: i32,
    base_timestamp_ms: i64,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    count: i32,
}

impl Head {
    fn read(batch: &mut Bytes) -> Result<Self, TryGetError> {
        let attributes = batch.try_get_i16()?;
        let last_offset_delta = batch.try_get_i32()?;
        let base_timestamp_ms = batch.try_get_i64()?;
        let _max_timestamp_ms = batch.try_get_i64()?;
        Ok(Self {
            attributes,
            last_offset_delta,
            base_timestamp_ms,
            producer_id: batch.try_get_i64()?,
            producer_epoch: batch.try_get_i16()?,
            base_sequence: batch.try_get_i32()?,
            count: batch.try_get_i32()?,
        })
    }

    /// With its records, which are what follows.
    fn open(&self, records: Bytes) -> Result<Batch, ErrorCode> {
        if self.attributes & CONTROL != 0 {
            return Err(ErrorCode::InvalidRecord);
        }
        if self.attributes & TRANSACTIONAL != 0 {
            // Transactions name themselves in the request, which then is none of ours.
            return Err(ErrorCode::InvalidTxnState);
        }
        if self.attributes & LOG_APPEND_TIME != 0 {
            return Err(ErrorCode::InvalidTimestamp);
        }
        // Offsets are given out by count, so a batch with gaps would make one in the log.
        if self.count < 1 || self.last_offset_delta != self.count - 1 {
            return Err(ErrorCode::InvalidRecord);
        }
        let claim = self.claim()?;
        let mut rest = inflate(self.attributes & COMPRESSION, records)?;
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        let mut records = Vec::with_capacity(count.min(rest.len() / SHORTEST_RECORD));
        for _ in 0..count {
            let record = record(&mut rest, self.base_timestamp_ms);
            records.push(record.ok_or(ErrorCode::InvalidRecord)?);
        }
        if !rest.is_empty() {
            return Err(ErrorCode::InvalidRecord);
        }
        Ok(Batch { claim, records })
    }

    fn claim(&self) -> Result<Option<Claim>, ErrorCode> {
        if self.producer_id < 0 {
            return Ok(None);
        }
        if self.producer_epoch < 0 {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        if self.base_sequence < 0 {
            return Err(ErrorCode::InvalidRecord);
        }
        Ok(Some(Claim {
            producer_id: self.producer_id,
            epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            count: self.count,
        }))
    }
}

/// The next record; `None` if there is none that is whole.
fn record(rest: &mut Bytes, base_timestamp_ms: i64) -> Option<Record> {
    let mut record = octets(rest)??;
    let _attributes = record.try_get_u8().ok()?;
    let timestamp_ms = base_timestamp_ms.checked_add(varint(&mut record)?)?;
    let _offset_delta = varint(&mut record)?;
    let (key, value) = (octets(&mut record)?, octets(&mut record)?);
    let count = usize::try_from(varint(&mut record)?).ok()?;
    // Two lengths at least; a larger number is a lie that must not become an allocation.
    let mut headers = Vec::with_capacity(count.min(record.len() / 2));
    for _ in 0..count {
        headers.push((octets(&mut record)??, octets(&mut record)?));
    }
    record.is_empty().then_some(Record {
        timestamp_ms,
        key,
        value,
        headers,
    })
}

/// Bytes with their length in front, a length of -1 being none; the outer `None` if they are not all there.
#[expect(clippy::option_option, reason = "absent and damaged are two things")]
fn octets(rest: &mut Bytes) -> Option<Option<Bytes>> {
    let length = varint(rest)?;
    if length == -1 {
        return Some(None);
    }
    let length = usize::try_from(length).ok()?;
    (length <= rest.len()).then(|| Some(rest.split_to(length)))
}

/// A number of at most ten bytes, seven bits in each, the sign in the lowest.
fn varint(rest: &mut Bytes) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = rest.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}
