//! Opens the log's file, reads it directly in bounded pieces, and compacts a topic whose policy is `compact`.
//!
//! nisshi's own read sums the sizes of *all* records behind the offset before it returns the first ones, so that a
//! rebuild would take quadratic time, never returns a record larger than the limit, and asks for headers once per
//! record without an index. The rule to keep: one statement at a time per connection - an open statement holds its
//! connection on an old view of the file, and a reader on it would miss what produce just announced.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::stored::Stored;
use libsql::{Builder, Connection, Database, Error, Row, params};

/// Waits this long for a writer of the file; nisshi's transactions take milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Open connections kept for the next read; one per consumer that reads at the same moment is plenty.
const IDLE_CONNECTIONS: usize = 4;
/// Below this many records of a topic a compaction gains nothing that a start would notice.
const COMPACT_FROM_RECORDS: i64 = 1_000;
const TOPIC: &str = "
    SELECT t.name, t.uuid, tp.partition, tp.id
    FROM topic t
    JOIN topition tp ON tp.topic = t.id
    WHERE t.name = ?1 OR t.uuid = ?2
    ORDER BY tp.partition";

const STAGE: &str = "
    SELECT coalesce(w.low, 0), coalesce(w.high, 0), (
        SELECT min(po.offset_start)
        FROM txn_topition tt
        JOIN txn_detail td ON td.id = tt.txn_detail
        JOIN txn_produce_offset po ON po.txn_topition = tt.id
        WHERE tt.topition = w.topition
        AND td.status IN ('BEGIN', 'PREPARE_COMMIT', 'PREPARE_ABORT'))
    FROM watermark w
    WHERE w.topition = ?1";

const RECORDS: &str = "
    SELECT offset_id, attributes, producer_id, producer_epoch, timestamp, k, v
    FROM record
    WHERE topition = ?1 AND offset_id >= ?2 AND offset_id < ?3
    ORDER BY offset_id";

const HEADERS: &str = "
    SELECT offset_id, k, v
    FROM header
    WHERE topition = ?1 AND offset_id BETWEEN ?2 AND ?3
    ORDER BY rowid";

const INDEX: &str =
    "CREATE INDEX IF NOT EXISTS footfall_header_by_record ON header (topition, offset_id)";

// Exactly `compact`: a topic with `compact,delete` is left alone, whatever its retention says.
const COMPACTED_RECORDS: &str = "
    SELECT count(*)
    FROM record r
    JOIN topition tp ON tp.id = r.topition
    JOIN topic t ON t.id = tp.topic
    JOIN topic_configuration c ON c.topic = t.id
    WHERE t.name = ?1 AND c.name = 'cleanup.policy' AND c.value = 'compact'";

const COMPACT: &str = "
    WITH newest AS (
        SELECT r.topition, r.k, max(r.offset_id) AS offset_id
        FROM record r
        JOIN topition tp ON tp.id = r.topition
        JOIN topic t ON t.id = tp.topic
        JOIN topic_configuration c ON c.topic = t.id
        WHERE t.name = ?1 AND c.name = 'cleanup.policy' AND c.value = 'compact' AND r.k IS NOT NULL
        GROUP BY r.topition, r.k
        HAVING count(*) > 1)
    DELETE FROM record
    WHERE rowid IN (
        SELECT r.rowid
        FROM record r
        JOIN newest n ON n.topition = r.topition AND n.k = r.k
        WHERE r.offset_id < n.offset_id)";

/// A topic, and its partitions: index and number in the file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) id: [u8; 16],
    pub(super) topitions: Vec<(i32, i64)>,
}

/// The first offset, the offset after the last record, and the same for those who want committed records only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) stable: i64,
}

/// The log's file, open for reading.
#[derive(Debug)]
pub(super) struct Log {
    database: Database,
    idle: Mutex<Vec<Connection>>,
}

impl Log {
    /// Opens the file, which the storage has made and given its tables.
    pub(super) async fn open(file: &Path) -> Result<Self, Error> {
        let log = Self {
            database: Builder::new_local(file).build().await?,
            idle: Mutex::default(),
        };
        let connection = log.connection().await?;
        connection.execute(INDEX, ()).await?;
        log.give_back(connection);
        Ok(log)
    }

    /// Removes superseded records of this topic if its policy is `compact`, as its contract allows; of no other topic.
    pub(super) async fn compact(&self, topic: &str) -> Result<u64, Error> {
        let connection = self.connection().await?;
        let records = first(&connection, COMPACTED_RECORDS, [topic]).await?;
        let records = records.map_or(Ok(0), |row| row.get::<i64>(0))?;
        let removed = if records < COMPACT_FROM_RECORDS {
            0
        } else {
            connection.execute(COMPACT, [topic]).await?
        };
        self.give_back(connection);
        Ok(removed)
    }

    /// Moves everything acknowledged from the write-ahead log into the file and to the disk.
    pub(super) async fn flush(&self) -> Result<(), Error> {
        let connection = self.connection().await?;
        first(&connection, "PRAGMA wal_checkpoint(TRUNCATE)", ()).await?;
        Ok(())
    }

    /// The topic of this name, or else of this id.
    pub(super) async fn topic(
        &self,
        name: Option<&str>,
        id: Option<[u8; 16]>,
    ) -> Result<Option<Found>, Error> {
        let id = id.filter(|_| name.is_none());
        let id = id.map(|id| uuid::Uuid::from_bytes(id).to_string());
        let connection = self.connection().await?;
        let mut rows = connection.query(TOPIC, params![name, id]).await?;
        let mut found = None;
        let mut topitions = Vec::new();
        while let Some(row) = rows.next().await? {
            if found.is_none() {
                let id = uuid::Uuid::parse_str(&row.get::<String>(1)?).unwrap_or_default();
                found = Some((row.get::<String>(0)?, id.into_bytes()));
            }
            topitions.push((row.get::<i32>(2)?, row.get::<i64>(3)?));
        }
        drop(rows);
        self.give_back(connection);
        Ok(found.map(|(name, id)| Found {
            name,
            id,
            topitions,
        }))
    }

    /// Where a partition begins and ends; `None` if it was deleted.
    pub(super) async fn stage(&self, topition: i64) -> Result<Option<Stage>, Error> {
        let connection = self.connection().await?;
        let row = first(&connection, STAGE, [topition]).await?;
        // The row holds its statement, and with it the connection's view: it ends before anyone else gets it.
        let stage = row
            .map(|row| {
                let high = row.get::<i64>(1)?;
                Ok(Stage {
                    low: row.get(0)?,
                    high,
                    stable: row.get::<Option<i64>>(2)?.unwrap_or(high),
                })
            })
            .transpose();
        self.give_back(connection);
        stage
    }

    /// Records from `from` on and before `to`: at least one if there is any, and no more than about `max_bytes`.
    pub(super) async fn read(
        &self,
        topition: i64,
        from: i64,
        to: i64,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, Error> {
        let connection = self.connection().await?;
        let mut rows = connection
            .query(RECORDS, params![topition, from, to])
            .await?;
        let mut records = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.next().await? {
            let record = Stored::read(&row)?;
            bytes += record.bytes();
            records.push(record);
            if bytes >= max_bytes {
                break;
            }
        }
        // Ends the view of the file, before the next statement takes a newer one.
        drop(rows);
        if let (Some(first), Some(last)) = (records.first(), records.last()) {
            let range = params![topition, first.offset, last.offset];
            let mut rows = connection.query(HEADERS, range).await?;
            while let Some(row) = rows.next().await? {
                let offset = row.get::<i64>(0)?;
                if let Ok(index) = records.binary_search_by_key(&offset, |record| record.offset) {
                    records[index].add_header(&row, 1, 2)?;
                }
            }
        }
        self.give_back(connection);
        Ok(records)
    }

    async fn connection(&self) -> Result<Connection, Error> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(connection) => Ok(connection),
            None => self.connect().await,
        }
    }

    /// A connection of its own for whoever writes records, with what nisshi's own writers have.
    pub(super) async fn writer(&self) -> Result<Connection, Error> {
        let connection = self.connect().await?;
        first(&connection, "PRAGMA journal_mode = WAL", ()).await?;
        // A commit then waits for no disk: it survives this process, but not the loss of power.
        let normal = "PRAGMA synchronous = NORMAL";
        connection.execute(normal, ()).await?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let connection = self.database.connect()?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Without it a compaction would leave the headers of the records it removes.
        connection.execute("PRAGMA foreign_keys = ON", ()).await?;
        Ok(connection)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
    }
}

async fn first(
    connection: &Connection,
    sql: &str,
    params: impl libsql::params::IntoParams,
) -> Result<Option<Row>, Error> {
    connection.query(sql, params).await?.next().await
}
