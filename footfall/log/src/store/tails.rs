//! Bounds the memory of the newest batches of all partitions: the oldest batch is removed first, regardless of its
//! partition.

use std::{collections::VecDeque, sync::Arc};

use super::{tail::Kept, topics::Partition};

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
