//! Keeps the newest batches in memory, so that consumers at the end of the log need no file access.
//!
//! Memory is bounded over all partitions: the oldest batch is removed first, regardless of its partition. Only the
//! writer adds and removes batches.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::{Bytes, BytesMut};

use super::topics::Partition;
use crate::lock;

/// A batch, its base offset, and the offset after its last one.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) base: i64,
    pub(super) end: i64,
    pub(super) bytes: Bytes,
}

/// The newest batches of one partition, oldest first, without gaps up to the partition's end.
#[derive(Debug, Default)]
pub(super) struct Tail {
    kept: Mutex<VecDeque<Kept>>,
}

impl Tail {
    /// Returns batches before `end`, starting with the one that holds `from`: at most `max_bytes`, but always the first
    /// batch. `None` if the file must be read.
    pub(super) fn read(&self, from: i64, end: i64, max_bytes: usize) -> Option<Bytes> {
        let kept = self.lock();
        if kept.front()?.base > from {
            return None;
        }
        let first = kept.partition_point(|batch| batch.end <= from);
        // A batch is added a moment before the partition's end moves. A consumer that got it already would then ask for
        // an offset after the end, which is out of range.
        let mut batches = kept.range(first..).take_while(|batch| batch.base < end);
        let first = batches.next()?;
        let mut more = batches.peekable();
        let fits = |size: usize, batch: &Kept| size + batch.bytes.len() <= max_bytes;
        if more
            .peek()
            .is_none_or(|next| !fits(first.bytes.len(), next))
        {
            return Some(first.bytes.clone());
        }
        let mut bytes = BytesMut::from(&first.bytes[..]);
        while let Some(next) = more.next_if(|next| fits(bytes.len(), next)) {
            bytes.extend_from_slice(&next.bytes);
        }
        Some(bytes.freeze())
    }

    /// Removes all batches after the file has changed.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn push(&self, batch: Kept) {
        self.lock().push_back(batch);
    }

    /// Removes the oldest batch if it is this one. After [`Tail::clear`] it may be another.
    fn pop(&self, base: i64) {
        let mut kept = self.lock();
        if kept.front().is_some_and(|batch| batch.base == base) {
            kept.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        lock::lock(&self.kept)
    }
}

/// All kept batches in the order of their commits.
#[derive(Debug)]
pub(super) struct Tails {
    order: VecDeque<(Arc<Partition>, i64, usize)>,
    bytes: usize,
    limit: usize,
}

impl Tails {
    /// Keeps up to `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            order: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    /// Keeps a committed batch. Call it before publishing the partition's new end.
    pub(super) fn push(&mut self, partition: &Arc<Partition>, batch: Kept) {
        let size = batch.bytes.len();
        self.order.push_back((partition.clone(), batch.base, size));
        partition.tail.push(batch);
        self.bytes += size;
        while self.bytes > self.limit
            && let Some((partition, base, size)) = self.order.pop_front()
        {
            partition.tail.pop(base);
            self.bytes -= size;
        }
    }
}
