//! Builds batches: from the records of stored batches for compaction, from single records for migration.

use std::io::{self, Write as _};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{
    Head, Record,
    head::{CHECKED_FROM, COMPRESSION, HEAD_BYTES},
};

/// How a built batch is compressed. All current clients read both kinds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Codec {
    /// Uncompressed.
    None,
    /// Frames of independent blocks, because Java's clients read no others.
    Lz4,
}

/// A batch that grows record by record.
#[derive(Debug)]
pub(crate) struct Builder {
    base_offset: i64,
    base_timestamp_ms: i64,
    max_timestamp_ms: i64,
    count: i32,
    last_offset_delta: i32,
    records: BytesMut,
}

impl Builder {
    /// An empty batch that begins at this offset. Timestamps are written relative to `base_timestamp_ms`.
    pub(crate) fn new(base_offset: i64, base_timestamp_ms: i64) -> Self {
        Self {
            base_offset,
            base_timestamp_ms,
            max_timestamp_ms: i64::MIN,
            count: 0,
            last_offset_delta: 0,
            records: BytesMut::new(),
        }
    }

    /// Adds a record; headers are names and values. Returns `false` and adds nothing if the offset or the timestamp is
    /// too far from the batch's.
    pub(crate) fn add<'a>(
        &mut self,
        offset: i64,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl ExactSizeIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> bool {
        let delta = offset.checked_sub(self.base_offset);
        let Some(offset_delta) = delta.and_then(|delta| i32::try_from(delta).ok()) else {
            return false;
        };
        let Some(time_delta) = timestamp_ms.checked_sub(self.base_timestamp_ms) else {
            return false;
        };
        let mut raw = BytesMut::new();
        raw.put_u8(0);
        put_varint(&mut raw, time_delta);
        put_varint(&mut raw, i64::from(offset_delta));
        put_octets(&mut raw, key);
        put_octets(&mut raw, value);
        put_length(&mut raw, headers.len());
        for (name, value) in headers {
            put_octets(&mut raw, Some(name));
            put_octets(&mut raw, value);
        }
        self.push(&raw, offset_delta, timestamp_ms);
        true
    }

    /// Adds a record of another batch without a change. That batch must have the same base offset and base timestamp.
    pub(crate) fn copy(&mut self, record: &Record<'_>) {
        self.push(record.raw, record.offset_delta, record.timestamp_ms);
    }

    fn push(&mut self, raw: &[u8], offset_delta: i32, timestamp_ms: i64) {
        put_octets(&mut self.records, Some(raw));
        self.count += 1;
        self.last_offset_delta = self.last_offset_delta.max(offset_delta);
        self.max_timestamp_ms = self.max_timestamp_ms.max(timestamp_ms);
    }

    /// Offset at which the batch begins.
    pub(crate) fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// Bytes of the records so far, uncompressed.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Records so far.
    pub(crate) fn count(&self) -> i32 {
        self.count
    }

    /// Largest timestamp of the records so far.
    pub(crate) fn max_timestamp_ms(&self) -> i64 {
        self.max_timestamp_ms
    }

    /// Finishes a batch without a producer id. The batch ends at `last_offset` or at its last record, whichever is
    /// later.
    pub(crate) fn finish(self, codec: Codec, last_offset: i64) -> io::Result<Bytes> {
        let last = i32::try_from(last_offset.saturating_sub(self.base_offset));
        let head = Fields {
            attributes: 0,
            last_offset_delta: self.last_offset_delta.max(last.unwrap_or(0)),
            leader_epoch: 0,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
        };
        self.encode(&head, codec)
    }

    /// Finishes a batch that replaces `former`, and keeps the offsets and the producer of its head.
    pub(crate) fn finish_as(self, former: &Head) -> io::Result<Bytes> {
        let codec = match former.compression() {
            0 => Codec::None,
            _ => Codec::Lz4,
        };
        let head = Fields {
            attributes: former.attributes & !COMPRESSION,
            last_offset_delta: former.last_offset_delta,
            leader_epoch: former.leader_epoch,
            producer_id: former.producer_id,
            producer_epoch: former.producer_epoch,
            base_sequence: former.base_sequence,
        };
        self.encode(&head, codec)
    }

    fn encode(self, fields: &Fields, codec: Codec) -> io::Result<Bytes> {
        let (records, codec_bits) = match codec {
            Codec::None => (self.records.freeze(), 0),
            Codec::Lz4 => (lz4(&self.records)?.into(), 3),
        };
        let mut batch = BytesMut::with_capacity(HEAD_BYTES + records.len());
        batch.put_i64(self.base_offset);
        let counted = HEAD_BYTES - 12 + records.len();
        batch.put_i32(i32::try_from(counted).map_err(io::Error::other)?);
        batch.put_i32(fields.leader_epoch);
        batch.put_i8(2);
        // A placeholder for the checksum, which is computed when the batch is complete.
        batch.put_u32(0);
        batch.put_i16(fields.attributes | codec_bits);
        batch.put_i32(fields.last_offset_delta);
        batch.put_i64(self.base_timestamp_ms);
        batch.put_i64(self.max_timestamp_ms);
        batch.put_i64(fields.producer_id);
        batch.put_i16(fields.producer_epoch);
        batch.put_i32(fields.base_sequence);
        batch.put_i32(self.count);
        batch.put_slice(&records);
        let crc = crc32c::crc32c(batch.get(CHECKED_FROM..).unwrap_or_default());
        if let Some(field) = batch.get_mut(CHECKED_FROM - 4..CHECKED_FROM) {
            field.copy_from_slice(&crc.to_be_bytes());
        }
        Ok(batch.freeze())
    }
}

/// The fields of a head that do not follow from the records.
struct Fields {
    attributes: i16,
    last_offset_delta: i32,
    leader_epoch: i32,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
}

fn lz4(records: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = lz4::EncoderBuilder::new()
        .block_mode(lz4::BlockMode::Independent)
        .block_size(lz4::BlockSize::Max256KB)
        .build(Vec::new())?;
    encoder.write_all(records)?;
    let (compressed, ended) = encoder.finish();
    ended.map(|()| compressed)
}

fn put_octets(target: &mut BytesMut, octets: Option<&[u8]>) {
    match octets {
        None => put_varint(target, -1),
        Some(octets) => {
            put_length(target, octets.len());
            target.put_slice(octets);
        }
    }
}

fn put_length(target: &mut BytesMut, length: usize) {
    put_varint(target, i64::try_from(length).unwrap_or(i64::MAX));
}

fn put_varint(target: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        target.put_u8(u8::try_from(rest & 0x7f).unwrap_or(0) | 0x80);
        rest >>= 7;
    }
    target.put_u8(u8::try_from(rest).unwrap_or(0));
}
