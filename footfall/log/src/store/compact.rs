//! Compaction: keeps only the newest record of each key, at its offset.
//!
//! Work is done in bounded pieces, each in its own transaction. Appends and fetches continue meanwhile, and a crash
//! leaves a valid log. A batch that loses records keeps its base offset, last offset, base timestamp and producer.
//! Tombstones and records without a key stay. The rule to keep: never remove the last batch of a partition, because it
//! defines the partition's end.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::{Partition, Store, StoreError, read::inflated, schema};
use crate::batch::{Builder, Head, Records};

/// Keys that one pass remembers, about 40 bytes each. More keys take several passes.
const KEYS_PER_PASS: usize = 1_000_000;
/// A piece ends after this many bytes of decompressed records.
const PIECE_BYTES: usize = 2 * 1024 * 1024;

/// The newest offset of each key in a part of a partition.
#[derive(Debug, Default)]
struct Newest {
    /// Two 64-bit hashes with random seeds, so that a client cannot construct colliding keys.
    hashers: [RandomState; 2],
    offsets: HashMap<[u64; 2], i64>,
}

impl Newest {
    fn hash(&self, key: &[u8]) -> [u64; 2] {
        let [first, second] = &self.hashers;
        [first.hash_one(key), second.hash_one(key)]
    }

    fn learn(&mut self, key: &[u8], offset: i64) {
        self.offsets.insert(self.hash(key), offset);
    }

    fn supersedes(&self, key: &[u8], offset: i64) -> bool {
        let newest = self.offsets.get(&self.hash(key));
        newest.is_some_and(|newest| *newest > offset)
    }
}

/// The planned change of one stored batch.
#[derive(Debug)]
struct Rewrite {
    base: i64,
    newest_ms: i64,
    behind_ms: i64,
    content: Content,
}

impl Rewrite {
    /// Roughly the bytes to write: the batch and its page.
    fn len(&self) -> usize {
        let batch = match &self.content {
            Content::Fewer(batch) => batch.len(),
            Content::Same | Content::None => 0,
        };
        batch + usize::from(schema::PAGE_BYTES)
    }
}

#[derive(Debug)]
enum Content {
    /// The batch stays; only its other columns change.
    Same,
    Fewer(Bytes),
    None,
}

/// The changes of a piece, the offset after it, and the number of removed records.
#[derive(Debug)]
struct Piece {
    rewrites: Vec<Rewrite>,
    next: i64,
    removed: u64,
    newest_ms: i64,
}

impl Store {
    /// Removes superseded records of a topic whose policy is exactly `compact`, and returns their number.
    pub(crate) async fn compact(&self, topic: &str) -> Result<u64, StoreError> {
        let _alone = self.inner.compacting.lock().await;
        let topics = self.topics();
        let topic = topics.named(topic).ok_or(StoreError::UnknownTopic)?;
        if !topic.is_only_compacted() {
            return Err(StoreError::NotCompacted);
        }
        let mut removed = 0;
        for partition in &topic.partitions {
            removed += self.compact_partition(partition, KEYS_PER_PASS).await?;
        }
        Ok(removed)
    }

    /// The same for one partition, with about `max_keys` keys in memory at most.
    pub(super) async fn compact_partition(
        &self,
        partition: &Arc<Partition>,
        max_keys: usize,
    ) -> Result<u64, StoreError> {
        let end = partition.end();
        let mut removed = 0;
        let mut from = partition.start();
        while from < end && !partition.is_gone() {
            let (newest, learned) = self.learn_keys(partition, from, end, max_keys).await?;
            removed += self.clean(partition, learned, &Arc::new(newest)).await?;
            from = learned;
        }
        Ok(removed)
    }

    /// Collects the newest offset of each key, from `from` up to the returned offset.
    async fn learn_keys(
        &self,
        partition: &Partition,
        mut from: i64,
        end: i64,
        max_keys: usize,
    ) -> Result<(Newest, i64), StoreError> {
        let number = partition.number;
        let mut newest = Newest::default();
        while from < end && newest.offsets.len() < max_keys {
            let learned = self.inner.readers.run(move |connection| {
                let next = learn_piece(connection, number, from, end, &mut newest)?;
                Ok((newest, next))
            });
            (newest, from) = learned.await?;
        }
        Ok((newest, from))
    }

    /// Removes superseded records before `end`.
    async fn clean(
        &self,
        partition: &Arc<Partition>,
        end: i64,
        newest: &Arc<Newest>,
    ) -> Result<u64, StoreError> {
        let number = partition.number;
        // From the start, because the learned keys also supersede records before the part where they were learned.
        let mut from = partition.start();
        let mut newest_ms = i64::MIN;
        let mut removed = 0;
        while from < end && !partition.is_gone() {
            let newest = Arc::clone(newest);
            // The batch that ends here must stay, even without records.
            let log_end = partition.end();
            let piece = self.inner.readers.run(move |connection| {
                plan_piece(connection, number, (from, end, log_end), newest_ms, &newest)
            });
            let piece = piece.await?;
            (from, newest_ms) = (piece.next, piece.newest_ms);
            removed += piece.removed;
            if !piece.rewrites.is_empty() {
                self.rewrite(partition, piece.rewrites).await?;
            }
        }
        Ok(removed)
    }

    async fn rewrite(
        &self,
        partition: &Arc<Partition>,
        rewrites: Vec<Rewrite>,
    ) -> Result<(), StoreError> {
        let (written, shown) = (Arc::clone(partition), Arc::clone(partition));
        let bytes = rewrites.iter().map(Rewrite::len).sum();
        self.large_change(
            bytes,
            move |connection| {
                // The writer may have deleted the topic and its table after the piece was read.
                if written.is_gone() {
                    return Ok(());
                }
                write_piece(connection, written.number, &rewrites)
            },
            move |_, ()| shown.tail.clear(),
        )
        .await
    }
}

fn learn_piece(
    connection: &Connection,
    number: i64,
    from: i64,
    end: i64,
    newest: &mut Newest,
) -> Result<i64, StoreError> {
    let table = schema::table(number);
    let mut rows = connection.prepare_cached(&format!(
        "SELECT base + last + 1, bytes FROM {table} WHERE base >= ?1 AND base < ?2 ORDER BY base"
    ))?;
    let mut rows = rows.query([from, end])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let batch = row.get_ref(1)?.as_blob()?;
        let (head, inflated) = inflated(batch)?;
        let mut records = Records::new(&head, &inflated);
        while let Some(record) = records.next()? {
            if let Some(key) = record.key {
                newest.learn(key, head.base_offset + i64::from(record.offset_delta));
            }
        }
        bytes += inflated.len();
        if bytes >= PIECE_BYTES {
            return Ok(row.get(0)?);
        }
    }
    Ok(end)
}

/// Plans the changes of the batches from `from` on. `newest_ms` is the largest timestamp before them.
fn plan_piece(
    connection: &Connection,
    number: i64,
    (from, end, log_end): (i64, i64, i64),
    mut newest_ms: i64,
    newest: &Newest,
) -> Result<Piece, StoreError> {
    let table = schema::table(number);
    let mut rows = connection.prepare_cached(&format!(
        "SELECT base, base + last + 1, newest, behind, bytes FROM {table}
        WHERE base >= ?1 AND base < ?2 ORDER BY base"
    ))?;
    let mut rows = rows.query([from, end])?;
    let mut piece = Piece {
        rewrites: Vec::new(),
        next: end,
        removed: 0,
        newest_ms,
    };
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let (base, batch_end): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (stored_newest_ms, stored_behind_ms): (i64, i64) = (row.get(2)?, row.get(3)?);
        let (head, inflated) = inflated(row.get_ref(4)?.as_blob()?)?;
        bytes += inflated.len();
        let left = survivors(&head, &inflated, newest)?;
        let lost = u64::try_from(head.count - left.count()).unwrap_or(0);
        let (content, own_ms) = if lost == 0 {
            let own_ms = stored_newest_ms.wrapping_sub(stored_behind_ms);
            (Content::Same, own_ms)
        } else if left.count() == 0 && batch_end != log_end {
            // Empty batches are deleted, except the last one, which defines the partition's end.
            (Content::None, i64::MIN)
        } else {
            let own_ms = left.max_timestamp_ms();
            let batch = left.finish_as(&head);
            let batch = batch.map_err(|error| StoreError::Compress(Arc::new(error)))?;
            (Content::Fewer(batch), own_ms)
        };
        newest_ms = newest_ms.max(own_ms);
        piece.removed += lost;
        // A removed record may have had the largest timestamp so far. Then `newest` of later batches changes too.
        if lost > 0 || stored_newest_ms != newest_ms {
            piece.rewrites.push(Rewrite {
                base,
                newest_ms,
                behind_ms: newest_ms.wrapping_sub(own_ms),
                content,
            });
        }
        if bytes >= PIECE_BYTES {
            piece.next = batch_end;
            break;
        }
    }
    piece.newest_ms = newest_ms;
    Ok(piece)
}

fn survivors(head: &Head, inflated: &[u8], newest: &Newest) -> Result<Builder, StoreError> {
    let mut left = Builder::new(head.base_offset, head.base_timestamp_ms);
    let mut records = Records::new(head, inflated);
    while let Some(record) = records.next()? {
        let offset = head.base_offset + i64::from(record.offset_delta);
        let superseded = record.key.is_some_and(|key| newest.supersedes(key, offset));
        if !superseded {
            left.copy(&record);
        }
    }
    Ok(left)
}

fn write_piece(
    connection: &Connection,
    number: i64,
    rewrites: &[Rewrite],
) -> Result<(), StoreError> {
    let table = schema::table(number);
    for rewrite in rewrites {
        let (base, newest_ms, behind_ms) = (rewrite.base, rewrite.newest_ms, rewrite.behind_ms);
        match &rewrite.content {
            Content::None => connection
                .prepare_cached(&format!("DELETE FROM {table} WHERE base = ?1"))?
                .execute([base])?,
            Content::Same => connection
                .prepare_cached(&format!(
                    "UPDATE {table} SET newest = ?2, behind = ?3 WHERE base = ?1"
                ))?
                .execute([base, newest_ms, behind_ms])?,
            Content::Fewer(batch) => connection
                .prepare_cached(&format!(
                    "UPDATE {table} SET newest = ?2, behind = ?3, bytes = ?4 WHERE base = ?1"
                ))?
                .execute(params![base, newest_ms, behind_ms, &batch[..]])?,
        };
    }
    Ok(())
}
