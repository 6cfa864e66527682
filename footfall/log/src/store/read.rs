//! Reads stored batches, and finds records by timestamp.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use rusqlite::{Connection, OptionalExtension as _};

use super::{StoreError, schema, topics::LEADER_EPOCH};
use crate::batch::{HEAD_BYTES, Head, Records, inflate};

/// The largest decompressed size of a stored batch. The append has already checked it against a lower limit.
const MAX_INFLATED_BYTES: usize = 256 * 1024 * 1024;

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RecordPosition {
    /// Its offset.
    pub(crate) offset: i64,
    /// Its timestamp in milliseconds since 1970.
    pub(crate) timestamp_ms: i64,
    /// Kafka's leader epoch of the record.
    pub(crate) leader_epoch: i32,
}

/// Reads batches before `end`, starting with the one that holds `from`. Returns at most `max_bytes`, but always the
/// first batch.
pub(super) fn batches(
    connection: &Connection,
    number: i64,
    from: i64,
    end: i64,
    max_bytes: usize,
) -> Result<Bytes, StoreError> {
    let table = schema::table(number);
    // A single statement sees one version of the file, also during compaction.
    let mut rows = connection.prepare_cached(&format!(
        "SELECT base + last, length(bytes), bytes FROM {table}
        WHERE base >= coalesce((SELECT max(base) FROM {table} WHERE base <= ?1), ?1) AND base < ?2
        ORDER BY base"
    ))?;
    let mut rows = rows.query([from, end])?;
    let mut found = BytesMut::new();
    while let Some(row) = rows.next()? {
        // Only the first batch can end before `from`, which is then in a gap after it.
        if row.get::<_, i64>(0)? < from {
            continue;
        }
        let size = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
        if !found.is_empty() && found.len().saturating_add(size) > max_bytes {
            break;
        }
        found.extend_from_slice(row.get_ref(2)?.as_blob()?);
        if found.len() >= max_bytes {
            break;
        }
    }
    Ok(found.freeze())
}

/// Finds the first record before `end` whose timestamp is `timestamp_ms` or later.
pub(super) fn record_at_time(
    connection: &Connection,
    number: i64,
    end: i64,
    timestamp_ms: i64,
) -> Result<Option<RecordPosition>, StoreError> {
    let Some(from) = first_batch_with(connection, number, end, timestamp_ms)? else {
        return Ok(None);
    };
    let table = schema::table(number);
    let mut rows = connection.prepare_cached(&format!(
        "SELECT newest, behind, base FROM {table} WHERE base >= ?1 AND base < ?2 ORDER BY base"
    ))?;
    let mut rows = rows.query([from, end])?;
    while let Some(row) = rows.next()? {
        let own_ms = row.get::<_, i64>(0)?.wrapping_sub(row.get(1)?);
        // After a compaction `newest` may be too large, because it may come from a removed record.
        // A batch's own largest timestamp is never too small.
        if own_ms >= timestamp_ms
            && let Some(found) = record_in_batch(connection, &table, row.get(2)?, timestamp_ms)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Finds the first batch whose `newest` reaches the timestamp. No batch before it holds such a record.
fn first_batch_with(
    connection: &Connection,
    number: i64,
    end: i64,
    timestamp_ms: i64,
) -> Result<Option<i64>, StoreError> {
    let table = schema::table(number);
    let mut at_or_before = connection.prepare_cached(&format!(
        "SELECT base, newest FROM {table} WHERE base <= ?1 ORDER BY base DESC LIMIT 1"
    ))?;
    let mut look = |offset: i64| {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let row: Result<(i64, i64), _> = at_or_before.query_row([offset], row);
        row.optional()
    };
    // `newest` never decreases, so a binary search finds the place without an index.
    let mut high = match look(end.saturating_sub(1))? {
        Some((base, newest)) if newest >= timestamp_ms => base,
        _ => return Ok(None),
    };
    let mut low = 0;
    while low < high {
        let middle = low + (high - low) / 2;
        match look(middle)? {
            Some((base, newest)) if newest >= timestamp_ms => high = base,
            _ => low = middle + 1,
        }
    }
    Ok(Some(high))
}

fn record_in_batch(
    connection: &Connection,
    table: &str,
    base: i64,
    timestamp_ms: i64,
) -> Result<Option<RecordPosition>, StoreError> {
    let mut bytes =
        connection.prepare_cached(&format!("SELECT bytes FROM {table} WHERE base = ?1"))?;
    let mut rows = bytes.query([base])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let (head, inflated) = inflated(row.get_ref(0)?.as_blob()?)?;
    let mut records = Records::new(&head, &inflated);
    while let Some(record) = records.next()? {
        if record.timestamp_ms >= timestamp_ms {
            return Ok(Some(RecordPosition {
                offset: head.base_offset + i64::from(record.offset_delta),
                timestamp_ms: record.timestamp_ms,
                leader_epoch: LEADER_EPOCH,
            }));
        }
    }
    Ok(None)
}

/// Reads the head of a stored batch, and decompresses its records.
pub(super) fn inflated(batch: &[u8]) -> Result<(Head, Cow<'_, [u8]>), StoreError> {
    let head = Head::read(batch)?;
    let body = batch.get(HEAD_BYTES..).unwrap_or_default();
    let inflated = inflate(head.compression(), body, MAX_INFLATED_BYTES)?;
    Ok((head, inflated))
}

/// Finds the first record with the largest timestamp before `end`.
pub(super) fn max_timestamp(
    connection: &Connection,
    number: i64,
    end: i64,
) -> Result<Option<RecordPosition>, StoreError> {
    let table = schema::table(number);
    let newest = connection
        .prepare_cached(&format!(
            "SELECT newest FROM {table} WHERE base < ?1 ORDER BY base DESC LIMIT 1"
        ))?
        .query_row([end], |row| row.get(0))
        .optional()?;
    let Some(newest) = newest else {
        return Ok(None);
    };
    if let Some(found) = record_at_time(connection, number, end, newest)? {
        return Ok(Some(found));
    }
    // Compaction may have removed the record with that timestamp. Then use the batches' own largest timestamps. SQLite
    // turns a difference beyond 64 bits into a floating-point number, so it is computed here.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT newest, behind FROM {table} WHERE base < ?1"
    ))?;
    let own = |row: &rusqlite::Row<'_>| {
        let (newest, behind): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(newest.wrapping_sub(behind))
    };
    let mut largest = None;
    for own in statement.query_map([end], own)? {
        largest = largest.max(Some(own?));
    }
    largest.map_or(Ok(None), |own| record_at_time(connection, number, end, own))
}
