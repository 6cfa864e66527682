//! Appends batches within a transaction: checks them against the state that the transaction will commit, then writes.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use rusqlite::{Connection, params};

use super::{
    AppendError, StoreError,
    producers::{Key, Producers, Progress, Verdict},
    tail::Kept,
    tails::Tails,
    topics::{LEADER_EPOCH, Partition},
};
use crate::batch::CheckedBatch;

/// Batches for one partition, at least one.
#[derive(Debug)]
pub(crate) struct Append {
    /// The target partition.
    pub(crate) partition: Arc<Partition>,
    /// The batches, in order.
    pub(crate) batches: Vec<CheckedBatch>,
}

/// The place of appended batches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Appended {
    /// Offset of the first record of the first batch.
    pub(crate) base_offset: i64,
    /// All batches were already in the log, and nothing was written.
    pub(crate) duplicate: bool,
}

/// The state after the commit of the current transaction.
#[derive(Debug, Default)]
pub(super) struct Staged {
    ends: HashMap<i64, End>,
    pub(super) moved: HashMap<Key, Progress>,
    written: Vec<(Arc<Partition>, Kept)>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    offset: i64,
    newest_ms: i64,
}

impl Staged {
    /// Writes all batches of one partition, or none of them. The outer error concerns the whole transaction.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        producers: &Producers,
        append: &Append,
    ) -> Result<Result<Appended, AppendError>, StoreError> {
        let partition = &append.partition;
        if partition.is_gone() {
            return Ok(Err(AppendError::Gone));
        }
        let first = self.end(partition).offset;
        // Judge all batches before writing any, so that a refusal leaves nothing behind.
        let mut moved = HashMap::new();
        let mut placed = Vec::with_capacity(append.batches.len());
        let mut next = first;
        for batch in &append.batches {
            match self.place(producers, partition, batch, next, &mut moved) {
                Err(refusal) => return Ok(Err(refusal)),
                Ok(Verdict::Duplicate(offset)) => placed.push((offset, None)),
                Ok(Verdict::Append) => {
                    placed.push((next, Some(batch)));
                    let Some(after) = next.checked_add(i64::from(batch.head().count)) else {
                        return Ok(Err(AppendError::Storage));
                    };
                    next = after;
                }
            }
        }
        for (base, batch) in &placed {
            if let Some(batch) = batch {
                self.write(connection, partition, *base, batch)?;
            }
        }
        self.moved.extend(moved);
        Ok(Ok(Appended {
            base_offset: placed.first().map_or(first, |(offset, _)| *offset),
            duplicate: placed.iter().all(|(_, batch)| batch.is_none()),
        }))
    }

    fn end(&self, partition: &Partition) -> End {
        let staged = self.ends.get(&partition.number).copied();
        staged.unwrap_or_else(|| End {
            offset: partition.end(),
            newest_ms: partition.newest_ms.load(Ordering::Relaxed),
        })
    }

    /// Judges a batch. Stores the producer's progress in `moved` if the batch goes to `offset`.
    fn place(
        &self,
        producers: &Producers,
        partition: &Partition,
        batch: &CheckedBatch,
        offset: i64,
        moved: &mut HashMap<Key, Progress>,
    ) -> Result<Verdict, AppendError> {
        if partition.keyed && batch.has_null_key() {
            return Err(AppendError::NullKey);
        }
        let Some(claim) = batch.head().claim() else {
            return Ok(Verdict::Append);
        };
        let key = (partition.number, claim.producer_id);
        // The latest state wins: this request's, then this transaction's, then the committed one.
        let known = moved.get(&key).or_else(|| self.moved.get(&key));
        let known = known.or_else(|| producers.get(key));
        let verdict = Progress::judge(known, &claim)?;
        if verdict == Verdict::Append {
            let after = Progress::after(known, &claim, offset);
            moved.insert(key, after);
        }
        Ok(verdict)
    }

    fn write(
        &mut self,
        connection: &Connection,
        partition: &Arc<Partition>,
        base: i64,
        batch: &CheckedBatch,
    ) -> Result<(), StoreError> {
        let own_ms = batch.max_timestamp_ms();
        let newest_ms = self.end(partition).newest_ms.max(own_ms);
        let bytes = batch.placed(base, LEADER_EPOCH);
        let last = batch.head().last_offset_delta;
        // Extreme timestamps wrap around here, and wrap back in the reader.
        let behind = newest_ms.wrapping_sub(own_ms);
        connection
            .prepare_cached(&partition.insert)?
            .execute(params![base, last, newest_ms, behind, &bytes[..]])?;
        let end = base + i64::from(last) + 1;
        let staged = End {
            offset: end,
            newest_ms,
        };
        self.ends.insert(partition.number, staged);
        self.written
            .push((partition.clone(), Kept { base, end, bytes }));
        Ok(())
    }

    /// Makes the committed batches visible to readers.
    pub(super) fn publish(&mut self, tails: &mut Tails) {
        let mut partitions: HashMap<i64, Arc<Partition>> = HashMap::new();
        for (partition, kept) in self.written.drain(..) {
            tails.push(&partition, kept);
            partitions.entry(partition.number).or_insert(partition);
        }
        // The ends come last, so that a consumer woken by a new end finds its batches in memory.
        for (number, partition) in partitions {
            if let Some(end) = self.ends.get(&number) {
                partition.newest_ms.store(end.newest_ms, Ordering::Relaxed);
                partition.publish_end(end.offset);
            }
        }
    }
}
