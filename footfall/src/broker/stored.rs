//! A record as it lies in the file, and batches of them as a client reads them.
//!
//! The rule to keep: a batch holds only records that share attributes and producer, because the wire format says
//! these once per batch; offsets may have gaps.

use libsql::{Error, Row, Value};
use nisshi_sans_io::record::{Header, Record, deflated, inflated};

/// The bits of a batch's attributes that say how it was compressed. Records lie uncompressed in the file, and
/// compressing them again for a client on loopback would only cost.
const COMPRESSION_BITS: i16 = 0b111;

/// Bytes, or nothing: Kafka tells an absent value from an empty one.
type Blob = Option<Vec<u8>>;

/// One record of the file.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) offset: i64,
    origin: Origin,
    timestamp_ms: i64,
    key: Blob,
    value: Blob,
    headers: Vec<(Blob, Blob)>,
}

/// What a batch says once for all its records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Origin {
    attributes: i16,
    producer_id: i64,
    producer_epoch: i16,
}

impl Stored {
    /// From a row of offset, attributes, producer, its epoch, time, key, value.
    pub(super) fn read(row: &Row) -> Result<Self, Error> {
        let small = |column, absent| {
            row.get::<Option<i32>>(column)
                .map(|value| value.and_then(|value| i16::try_from(value).ok()))
                .map(|value| value.unwrap_or(absent))
        };
        Ok(Self {
            offset: row.get(0)?,
            origin: Origin {
                attributes: small(1, 0)? & !COMPRESSION_BITS,
                producer_id: row.get::<Option<i64>>(2)?.unwrap_or(-1),
                producer_epoch: small(3, -1)?,
            },
            timestamp_ms: row.get(4)?,
            key: blob(row, 5)?,
            value: blob(row, 6)?,
            headers: Vec::new(),
        })
    }

    /// Adds a header, from a row with its key and value in these columns.
    pub(super) fn add_header(&mut self, row: &Row, key: i32, value: i32) -> Result<(), Error> {
        self.headers.push((blob(row, key)?, blob(row, value)?));
        Ok(())
    }

    /// About what it takes on the wire.
    pub(super) fn bytes(&self) -> usize {
        const FRAMING: usize = 16;
        let length = |part: &Blob| part.as_ref().map_or(0, Vec::len);
        FRAMING + length(&self.key) + length(&self.value)
    }
}

/// The records as batches, in order.
pub(super) fn batches(records: Vec<Stored>) -> Result<Vec<deflated::Batch>, nisshi_sans_io::Error> {
    let mut batches = Vec::new();
    let mut records = records.into_iter().peekable();
    while let Some(first) = records.next() {
        let (base, origin, base_ms) = (first.offset, first.origin, first.timestamp_ms);
        let mut batch = inflated::Batch::builder()
            .base_offset(base)
            .attributes(origin.attributes)
            .producer_id(origin.producer_id)
            .producer_epoch(origin.producer_epoch)
            .base_timestamp(base_ms);
        let (mut last_delta, mut max_ms) = (0, base_ms);
        let mut next = Some(first);
        while let Some(record) = next {
            last_delta = i32::try_from(record.offset - base)?;
            max_ms = max_ms.max(record.timestamp_ms);
            batch = batch.record(encode(record, last_delta, base_ms));
            next = records.next_if(|record| {
                record.origin == origin && i32::try_from(record.offset - base).is_ok()
            });
        }
        let batch = batch.last_offset_delta(last_delta).max_timestamp(max_ms);
        batches.push(batch.build()?.try_into()?);
    }
    Ok(batches)
}

fn encode(record: Stored, offset_delta: i32, base_ms: i64) -> nisshi_sans_io::record::Builder {
    let encoded = Record::builder()
        .offset_delta(offset_delta)
        .timestamp_delta(record.timestamp_ms - base_ms)
        .key(record.key.map(Into::into))
        .value(record.value.map(Into::into));
    record
        .headers
        .into_iter()
        .fold(encoded, |encoded, (key, value)| {
            let mut header = Header::builder();
            if let Some(key) = key {
                header = header.key(key.into());
            }
            if let Some(value) = value {
                header = header.value(value.into());
            }
            encoded.header(header)
        })
}

fn blob(row: &Row, column: i32) -> Result<Blob, Error> {
    Ok(match row.get_value(column)? {
        Value::Null => None,
        Value::Blob(bytes) => Some(bytes),
        Value::Text(text) => Some(text.into_bytes()),
        Value::Integer(_) | Value::Real(_) => return Err(Error::InvalidColumnType),
    })
}
