//! Keeps the newest batches of a partition in memory, so that consumers at the end of the log need no file access.
//!
//! Only the writer adds and removes batches, see [`super::tails`].

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use bytes::{Bytes, BytesMut};

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

    pub(super) fn push(&self, batch: Kept) {
        self.lock().push_back(batch);
    }

    /// Removes the oldest batch if it is this one. After [`Tail::clear`] it may be another.
    pub(super) fn pop(&self, base: i64) {
        let mut kept = self.lock();
        if kept.front().is_some_and(|batch| batch.base == base) {
            kept.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        lock::lock(&self.kept)
    }
}
