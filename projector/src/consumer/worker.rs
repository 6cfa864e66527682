//! One partition's worker: a thread that claims the partition, then applies what was read of it, batch after batch.
//!
//! The one rule: a partition has one batch in the database at a time, and each partition has its own thread.
//! So one that is far behind, locked or refused delays no other one, and the next records are read while a
//! batch is written.

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

/// How many partitions are written at the same moment; a database of few cores gains nothing by more.
pub(crate) const WRITERS: u32 = 4;

/// What all workers use.
pub(super) struct Shared {
    pub(super) context: Context,
    pub(super) handle: Handle,
    pub(super) store: Store,
    pub(super) kafka: KafkaSettings,
    /// Write permits. Waiting on the pool instead would time out.
    pub(super) turns: Semaphore,
    /// For dead letters.
    pub(super) producer: Arc<Producer>,
    /// One of them has the tables analysed.
    pub(super) analysing: AtomicBool,
    /// How each of our partitions is.
    pub(super) standings: Standings,
    /// What the thread that polls must act on.
    pub(super) reports: Mutex<Vec<Report>>,
    /// Partitions have come or gone.
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

/// What a worker found out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) partition: i32,
    /// Serial number of the worker.
    pub(super) worker: u64,
    pub(super) found: Found,
}

/// What the thread that polls must act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The partition is claimed; records from this offset on are wanted.
    Claimed(i64),
    /// The table has another offset than the claim: the partition must be claimed again. The worker is over.
    Moved,
    /// A later claim holds the partition. The worker is over.
    Fenced,
}

/// Records of one partition as they were read, with the room in memory that they take.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) batch: Batch,
    pub(super) room: Room,
}

/// Counts bytes of records between the polling thread and the worker, until it is dropped.
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

/// What the thread that polls and the worker both see.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// What was given is not wanted any more.
    abandoned: AtomicBool,
    /// Bytes of records that were given and are not applied yet.
    queued_bytes: AtomicUsize,
}

impl Link {
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

/// A worker, as the thread that polls sees it. When that drops it, the worker ends after the batch that it
/// writes.
#[derive(Debug)]
pub(super) struct Worker {
    serial: u64,
    pieces: Option<mpsc::UnboundedSender<Piece>>,
    link: Arc<Link>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread of a partition that became ours. Workers of one partition claim it one after another,
    /// by that gate: an older one that is slow must not take the partition from a newer one.
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

    /// Which worker of this program it is.
    pub(super) const fn serial(&self) -> u64 {
        self.serial
    }

    /// Bytes of records that it was given and has not applied.
    pub(super) fn queued_bytes(&self) -> usize {
        self.link.queued_bytes.load(Ordering::Relaxed)
    }

    /// Hands records over. A worker that is over takes none, nor one that is to take no more.
    pub(super) fn give(&self, batch: Batch, bytes: usize) {
        if let Some(pieces) = &self.pieces {
            self.link.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
            let link = Arc::clone(&self.link);
            let room = Room { link, bytes };
            // A worker that is over has reported why, or panicked, which `reap` passes on.
            let _ = pieces.send(Piece { batch, room });
        }
    }

    /// Gives it nothing more; what it has been given it applies.
    pub(super) fn close(&mut self) {
        self.pieces = None;
    }

    /// True until it is to take no more.
    pub(super) const fn is_open(&self) -> bool {
        self.pieces.is_some()
    }

    /// Looks after a worker that is over.
    ///
    /// # Panics
    /// When the worker has panicked: with it.
    pub(super) fn reap(&mut self) {
        if self
            .thread
            .as_ref()
            .is_some_and(thread::JoinHandle::is_finished)
        {
            self.join();
        }
    }

    /// Waits until the worker is over.
    ///
    /// # Panics
    /// When the worker has panicked: with it.
    pub(super) fn join(&mut self) {
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
    /// Something in the batch is refused, or the batch is too much at once: a part of it may be taken.
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
