//! What can go wrong with the store, and what it means to those who asked.

use std::{io, path::PathBuf, sync::Arc};

use rusqlite::ErrorCode;

use crate::batch::BatchError;

/// Why an append was refused. Nothing of it is in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum AppendError {
    /// `OUT_OF_ORDER_SEQUENCE_NUMBER`: batches before this one are missing.
    #[error("batches before this one are missing")]
    OutOfOrderSequence,
    /// `DUPLICATE_SEQUENCE_NUMBER`: it was appended, too long ago to know where.
    #[error("the batch was appended long ago")]
    DuplicateSequence,
    /// `INVALID_PRODUCER_EPOCH`: its producer has started a later epoch.
    #[error("the producer has started a later epoch")]
    InvalidProducerEpoch,
    /// `UNKNOWN_PRODUCER_ID`: the log does not know the producer, and its batch does not start at sequence 0.
    #[error("the producer is not known")]
    UnknownProducerId,
    /// `INVALID_RECORD`: a record without a key for a compacted topic.
    #[error("records of a compacted topic need keys")]
    NullKey,
    /// `UNKNOWN_TOPIC_OR_PARTITION`: the topic was deleted.
    #[error("the topic was deleted")]
    Gone,
    /// Too much waits already. Retriable.
    #[error("too many appends wait for the disk")]
    Full,
    /// `KAFKA_STORAGE_ERROR`: the file could not be written, or the store has stopped. Retriable.
    #[error("the log could not be written")]
    Storage,
}

/// Why the store could not do something else.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There is a topic of this name.
    #[error("the topic exists already")]
    TopicExists,
    /// There is no topic of this name.
    #[error("there is no such topic")]
    UnknownTopic,
    /// The topic's policy is not exactly `compact`.
    #[error("the topic's cleanup.policy is not `compact`")]
    NotCompacted,
    /// A stored batch cannot be read.
    #[error("a stored batch cannot be read: {0}")]
    Batch(#[from] BatchError),
    /// A batch could not be made.
    #[error("a batch could not be compressed: {0}")]
    Compress(Arc<io::Error>),
    /// The folder or a file in it cannot be made or protected.
    #[error("{}: {source}", dir.display())]
    Folder {
        /// The folder or file.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another store has the folder.
    #[error("{} is in use by another program", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The file is not ours, or of a newer program.
    #[error(
        "{} was not written by this program or by a newer one (application {application:#x}, layout {version})", file.display()
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
    /// What `SQLite` said.
    #[error("SQLite: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// A former log could not be taken over.
    #[error("the former log: {0}")]
    Former(String),
    /// The disk failed before; writing needs a restart.
    #[error("the disk failed to write the log before")]
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
    /// The same for another one who waits for the same transaction.
    pub(super) fn copy(&self) -> Self {
        match self {
            Self::Sqlite(error) => Self::Sqlite(Arc::clone(error)),
            Self::Broken => Self::Broken,
            _ => Self::Stopped,
        }
    }

    /// Whether the transaction is spoiled, not only the change that met the error.
    pub(super) fn is_of_storage(&self) -> bool {
        matches!(self, Self::Sqlite(_) | Self::Broken)
    }

    /// Whether it is unknown from now on what is on the disk. A full disk is not such a failure: nothing was written.
    pub(super) fn is_disk_failure(&self) -> bool {
        /// The extended codes of `SQLITE_IOERR` for the shared memory file, which has no data of ours: open, size,
        /// lock, map.
        const OF_SHARED_MEMORY: [i32; 4] = [18, 19, 20, 21];
        let Self::Sqlite(error) = self else {
            return false;
        };
        let Some(error) = error.sqlite_error() else {
            return false;
        };
        match error.code {
            ErrorCode::SystemIoFailure => !OF_SHARED_MEMORY.contains(&(error.extended_code >> 8)),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => true,
            _ => false,
        }
    }
}
