//! Iterates over the records of a batch without copying keys or values.

use super::{BatchError, Head};

/// A damaged record. The checksum was correct, so the producer wrote it this way.
const DAMAGED: BatchError = BatchError::Invalid("a record is damaged");

/// One record, borrowed from the batch's decompressed data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Record<'a> {
    /// Distance from the batch's base offset.
    pub(crate) offset_delta: i32,
    /// Milliseconds since 1970, or -1.
    pub(crate) timestamp_ms: i64,
    /// `None` for a record without a key.
    pub(crate) key: Option<&'a [u8]>,
    /// `None` for a tombstone.
    pub(crate) value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub(crate) headers: Headers<'a>,
    /// The bytes of the record in the batch, without its length prefix.
    pub(crate) raw: &'a [u8],
}

/// The headers of a record: names and values, already checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Headers<'a> {
    left: i32,
    rest: &'a [u8],
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left <= 0 {
            return None;
        }
        self.left -= 1;
        let name = octets(&mut self.rest)??;
        Some((name, octets(&mut self.rest)?))
    }
}

/// The records of one batch, in order. Reports an error if their number differs from the count in the head.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    base_timestamp_ms: i64,
    left: i32,
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    /// Starts at the first record of the batch's decompressed data.
    pub(crate) fn new(head: &Head, inflated: &'a [u8]) -> Self {
        Self {
            base_timestamp_ms: head.base_timestamp_ms,
            left: head.count,
            rest: inflated,
        }
    }

    /// The next record; `None` after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'a>>, BatchError> {
        if self.left <= 0 {
            return if self.rest.is_empty() {
                Ok(None)
            } else {
                Err(BatchError::Invalid("bytes after the last record"))
            };
        }
        self.left -= 1;
        let raw = octets(&mut self.rest).flatten().ok_or(DAMAGED)?;
        record(raw, self.base_timestamp_ms).map(Some).ok_or(DAMAGED)
    }
}

/// Reads the fields of a record. `None` if it is incomplete or bytes are left over.
fn record(raw: &[u8], base_timestamp_ms: i64) -> Option<Record<'_>> {
    let mut rest = raw;
    let (_attributes, after) = rest.split_first()?;
    rest = after;
    let timestamp_ms = base_timestamp_ms.checked_add(varint(&mut rest)?)?;
    let offset_delta = short_varint(&mut rest)?;
    let key = octets(&mut rest)?;
    let value = octets(&mut rest)?;
    let headers = short_varint(&mut rest)?;
    if headers < 0 {
        return None;
    }
    let found = Headers {
        left: headers,
        rest,
    };
    // Each turn consumes at least two bytes, so a false count stops at the end of the record.
    for _ in 0..headers {
        octets(&mut rest)??;
        octets(&mut rest)?;
    }
    rest.is_empty().then_some(Record {
        offset_delta,
        timestamp_ms,
        key,
        value,
        headers: found,
        raw,
    })
}

/// Reads bytes with a length prefix. A length of -1 gives the inner `None`; incomplete data gives the outer one.
#[expect(clippy::option_option, reason = "absent and damaged are two things")]
fn octets<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = short_varint(rest)?;
    if length == -1 {
        return Some(None);
    }
    let (octets, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(Some(octets))
}

/// Reads a 32-bit number of at most five bytes. Java's consumers fail on longer ones and would never get past the
/// batch.
fn short_varint(rest: &mut &[u8]) -> Option<i32> {
    const MAX_BYTES: usize = 5;
    let before = rest.len();
    let value = varint(rest)?;
    (before - rest.len() <= MAX_BYTES)
        .then(|| i32::try_from(value).ok())
        .flatten()
}

/// Reads a number of at most ten bytes, seven bits in each, with the sign in the lowest bit.
fn varint(rest: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}
