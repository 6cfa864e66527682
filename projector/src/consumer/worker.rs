//! The worker of one partition: a thread that claims the partition, then applies batch after batch.
//!
//! The one rule: each partition has its own thread and one batch in the database at a time. So a
//! partition that is far behind, locked or refused delays no other one, and the next records are
//! polled while a batch is written.

use super::{
    folding::Folding,
    shared::{Link, Piece, Room, Shared},
};
use crate::batch::Batch;
use std::{
    sync::{Arc, Mutex},
    thread,
};
use tokio::sync::mpsc;

/// How many partitions are written at the same time. More would not help a database with few cores.
pub(crate) const WRITERS: u32 = 4;

/// The polling thread's handle of a worker. When it is dropped, the worker ends after its current
/// batch.
#[derive(Debug)]
pub(super) struct Worker {
    serial: u64,
    pieces: Option<mpsc::UnboundedSender<Piece>>,
    link: Arc<Link>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread of a partition that became ours. The gate makes workers of one partition
    /// claim it one after another. Otherwise a slow older worker could take the partition from a
    /// newer one.
    pub(super) fn start(
        shared: &Arc<Shared>,
        partition: i32,
        serial: u64,
        gate: Arc<Mutex<()>>,
    ) -> std::io::Result<Self> {
        let (pieces, received) = mpsc::unbounded_channel();
        let link = Arc::new(Link::default());
        let folding = Folding {
            shared: Arc::clone(shared),
            partition,
            serial,
            gate,
            received,
            link: Arc::clone(&link),
            set_aside_before: 0,
            thrives: false,
        };
        let thread = thread::Builder::new()
            .name(format!("fold partition {partition}"))
            .spawn(move || folding.run())?;
        Ok(Self {
            serial,
            pieces: Some(pieces),
            link,
            thread: Some(thread),
        })
    }

    /// The serial number of the worker in this program.
    pub(super) const fn serial(&self) -> u64 {
        self.serial
    }

    /// Bytes of records that it has received and not applied yet.
    pub(super) fn queued_bytes(&self) -> usize {
        self.link.queued_bytes()
    }

    /// Hands records over. A worker that has ended or is closed takes none.
    pub(super) fn give(&self, batch: Batch, bytes: usize) {
        if let Some(pieces) = &self.pieces {
            // Counted before the hand-over, because the worker may drop the room at once.
            let room = Room::take(&self.link, bytes);
            // A worker that has ended has reported why, or `reap` passes its panic on.
            let _ = pieces.send(Piece { batch, room });
        }
    }

    /// Gives the worker no more records. It still applies those that it has.
    pub(super) fn close(&mut self) {
        self.pieces = None;
    }

    /// True until the worker is closed.
    pub(super) const fn is_open(&self) -> bool {
        self.pieces.is_some()
    }

    /// Joins the worker if it has ended.
    ///
    /// # Panics
    /// When the worker panicked, with its panic.
    pub(super) fn reap(&mut self) {
        if self
            .thread
            .as_ref()
            .is_some_and(thread::JoinHandle::is_finished)
        {
            self.join();
        }
    }

    /// Waits until the worker has ended.
    ///
    /// # Panics
    /// When the worker panicked, with its panic.
    pub(super) fn join(&mut self) {
        // Without this the thread would wait for more records for ever.
        self.close();
        if let Some(Err(panic)) = self.thread.take().map(thread::JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.link.abandon();
    }
}
