//! The errors of the store, and their meaning for callers.

use std::{io, path::PathBuf, sync::Arc};

use rusqlite::ErrorCode;

use crate::batch::BatchError;

/// Why an append was refused. None of its records are in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum AppendError {
    /// `OUT_OF_ORDER_SEQUENCE_NUMBER`: batches before this one are missing.
    #[error("batches before this one are missing")]
    OutOfOrderSequence,
    /// `DUPLICATE_SEQUENCE_NUMBER`: it was appended so long ago that its offset was forgotten.
    #[error("the batch was appended long ago")]
    DuplicateSequence,
    /// `INVALID_PRODUCER_EPOCH`: its producer has started a later epoch.
    #[error("the producer has started a later epoch")]
    InvalidProducerEpoch,
    /// `UNKNOWN_PRODUCER_ID`: the log does not know the producer, and its batch does not start at sequence 0.
    #[error("the producer is unknown")]
    UnknownProducerId,
    /// `INVALID_RECORD`: a record without a key for a compacted topic.
    #[error("records of a compacted topic need keys")]
    NullKey,
    /// `UNKNOWN_TOPIC_OR_PARTITION`: the topic was deleted.
    #[error("the topic was deleted")]
    Gone,
    /// Too many appends are waiting. Retriable.
    #[error("too many appends are waiting for the disk")]
    Full,
    /// `KAFKA_STORAGE_ERROR`: the file could not be written, or the store has stopped. Retriable.
    #[error("the log could not be written")]
    Storage,
}

/// Why another operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A topic with this name already exists.
    #[error("the topic already exists")]
    TopicExists,
    /// No topic has this name.
    #[error("topic not found")]
    UnknownTopic,
    /// The topic's policy is not exactly `compact`.
    #[error("the topic's cleanup.policy is not `compact`")]
    NotCompacted,
    /// A stored batch cannot be read.
    #[error("a stored batch cannot be read: {0}")]
    Batch(#[from] BatchError),
    /// A batch could not be built.
    #[error("a batch could not be compressed: {0}")]
    Compress(Arc<io::Error>),
    /// The folder or a file in it cannot be created or protected.
    #[error("{}: {source}", dir.display())]
    Folder {
        /// The folder or file.
        dir: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another store has the folder open.
    #[error("{} is in use by another program", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The file belongs to another program or to a newer version.
    #[error(
        "{} was written by another program or by a newer version (application {application:#x}, layout {version})", file.display()
    )]
    Foreign {
        /// The file.
        file: PathBuf,
        /// Its application id.
        application: i32,
        /// Its layout.
        version: i32,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// An error of `SQLite`.
    #[error("SQLite: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// A log of the former format could not be migrated.
    #[error("cannot migrate the former log: {0}")]
    Former(String),
    /// An earlier write failed on the disk; writing needs a restart.
    #[error("the disk failed during an earlier write of the log")]
    Broken,
    /// The store was closed.
    #[error("the store is closed")]
    Stopped,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl From<rusqlite::types::FromSqlError> for StoreError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        rusqlite::Error::from(error).into()
    }
}

impl StoreError {
    /// A copy for another job of the same failed transaction.
    pub(super) fn copy(&self) -> Self {
        match self {
            Self::Sqlite(error) => Self::Sqlite(Arc::clone(error)),
            Self::Broken => Self::Broken,
            _ => Self::Stopped,
        }
    }

    /// Whether the error fails the whole transaction, not only one change.
    pub(super) fn is_of_storage(&self) -> bool {
        matches!(self, Self::Sqlite(_) | Self::Broken)
    }

    /// Whether the state of the disk is unknown after the error. A full disk is not such a failure: nothing was
    /// written. `has_room` tells whether the log's folder has room for more bytes.
    pub(super) fn is_disk_failure(&self, has_room: impl FnOnce() -> bool) -> bool {
        /// The extended codes of `SQLITE_IOERR` for the shared memory file (open, size, lock, map), which holds no
        /// records.
        const OF_SHARED_MEMORY: [i32; 4] = [18, 19, 20, 21];
        /// `SQLITE_IOERR_WRITE`. `SQLite` knows a full disk (`ENOSPC`, which is `SQLITE_FULL`) but not a full quota
        /// (`EDQUOT`), which it reports like a broken disk.
        const OF_WRITE: i32 = 3;
        let Self::Sqlite(error) = self else {
            return false;
        };
        let Some(error) = error.sqlite_error() else {
            return false;
        };
        match error.code {
            ErrorCode::SystemIoFailure => match error.extended_code >> 8 {
                OF_WRITE => has_room(),
                part => !OF_SHARED_MEMORY.contains(&part),
            },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => true,
            _ => false,
        }
    }
}
