//! What the polling thread and the workers share: connections, write permits, queues and reports.

use super::standing::{Standings, Trouble};
use crate::{
    batch::Batch,
    store::{ApplyError, Cause, Store, cause, reason},
};
use runtime::{Context, Producer, kafka::KafkaSettings};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
};

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

impl Room {
    /// Counts these bytes as queued from now on.
    pub(super) fn take(link: &Arc<Link>, bytes: usize) -> Self {
        link.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        let link = Arc::clone(link);
        Self { link, bytes }
    }
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
    /// Has the worker end without applying its queue.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
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
