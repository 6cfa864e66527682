//! The worker of one partition: a thread that claims the partition, then applies batch after batch.
//!
//! The one rule: each partition has its own thread and one batch in the database at a time. So a
//! partition that is far behind, locked or refused delays no other one, and the next records are
//! polled while a batch is written.

use super::{
    folding::Folding,
    standing::{Standings, Trouble},
};
use crate::{
    batch::Batch,
    store::{ApplyError, Cause, Store, cause, reason},
};
use runtime::{Context, Producer, kafka::KafkaSettings};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore, mpsc},
};

/// How many partitions are written at the same time. More would not help a database with few cores.
pub(crate) const WRITERS: u32 = 4;

/// The parts that all workers share.
pub(super) struct Shared {
    pub(super) context: Context,
    pub(super) handle: Handle,
    pub(super) store: Store,
    pub(super) kafka: KafkaSettings,
    /// Write permits. Waiting on the pool instead would time out.
    pub(super) turns: Semaphore,
    /// Publishes dead letters.
    pub(super) producer: Arc<Producer>,
    /// True while one of the workers has the tables analysed.
    pub(super) analysing: AtomicBool,
    /// The state of each of our partitions.
    pub(super) standings: Standings,
    /// Reports that the polling thread must act on.
    pub(super) reports: Mutex<Vec<Report>>,
    /// Notified when partitions were assigned or revoked.
    pub(super) ownership_changed: Notify,
}

impl Shared {
    pub(super) fn report(&self, report: Report) {
        let reports = self.reports.lock();
        reports.unwrap_or_else(PoisonError::into_inner).push(report);
    }

    pub(super) fn take_reports(&self) -> Vec<Report> {
        let reports = self.reports.lock();
        std::mem::take(&mut *reports.unwrap_or_else(PoisonError::into_inner))
    }
}

/// A report of a worker to the polling thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) partition: i32,
    /// Serial number of the worker.
    pub(super) worker: u64,
    pub(super) found: Found,
}

/// The content of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The partition is claimed, and its records are wanted from this offset on.
    Claimed(i64),
    /// The table has another offset than the claim. The worker ends, and the partition must be
    /// claimed again.
    Moved,
    /// A later claim holds the partition. The worker ends.
    Fenced,
}

/// Records of one partition, with their share of the memory.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) batch: Batch,
    pub(super) room: Room,
}

/// Counts bytes as queued between the polling thread and the worker, until it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    link: Arc<Link>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.link
            .queued_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The state shared by the polling thread and the worker.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// True when the worker must end without applying its queue.
    abandoned: AtomicBool,
    /// Bytes of records that are queued and not applied yet.
    queued_bytes: AtomicUsize,
}

impl Link {
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

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
        self.link.queued_bytes.load(Ordering::Relaxed)
    }

    /// Hands records over. A worker that has ended or is closed takes none.
    pub(super) fn give(&self, batch: Batch, bytes: usize) {
        if let Some(pieces) = &self.pieces {
            // Counted before the hand-over, because the worker may drop the room at once.
            self.link.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
            let link = Arc::clone(&self.link);
            let room = Room { link, bytes };
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
        self.link.abandoned.store(true, Ordering::Relaxed);
    }
}

/// Why a step of a worker failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// A later claim holds the partition.
    Fenced,
    /// The table has another offset than the claim.
    Moved,
    /// Another session holds a lock.
    Locked(String),
    /// The database refuses something in the batch, or the batch is too large. A part of it may
    /// succeed.
    Refused(String),
    /// The same step may succeed later.
    Retry(Trouble),
}

impl Failed {
    pub(super) fn of_database(error: &sqlx::Error) -> Self {
        match cause(error) {
            Cause::Lock => Self::Locked(reason(error)),
            Cause::Slow | Cause::Content => Self::Refused(reason(error)),
            Cause::Server => Self::Retry(Trouble::of_server(reason(error))),
        }
    }
}

impl From<ApplyError> for Failed {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Fenced => Self::Fenced,
            ApplyError::Moved => Self::Moved,
            ApplyError::TooSlow => Self::Refused(error.to_string()),
            ApplyError::Database(error) => Self::of_database(&error),
        }
    }
}
