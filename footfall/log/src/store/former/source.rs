//! Reads the former file: topics, records with their headers, and committed offsets of groups.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OpenFlags, Row, Rows, types::ValueRef};
use uuid::Uuid;

use crate::store::{CommittedOffset, StoreError};

/// The attribute bit of a transaction marker, which consumers do not see.
const CONTROL: i64 = 1 << 5;

const TOPICS: &str = "SELECT id, name, uuid FROM topic ORDER BY id";

const CONFIGS: &str = "
    SELECT name, value
    FROM topic_configuration
    WHERE topic = ?1 AND value IS NOT NULL";

const PARTITIONS: &str = "
    SELECT tp.id, tp.partition,
        (SELECT coalesce(min(low), 0) FROM watermark w WHERE w.topition = tp.id),
        (SELECT min(offset_id) FROM record r WHERE r.topition = tp.id),
        (SELECT coalesce(max(high), 0) FROM watermark w WHERE w.topition = tp.id),
        (SELECT coalesce(max(offset_id) + 1, 0) FROM record r WHERE r.topition = tp.id)
    FROM topition tp
    WHERE tp.topic = ?1
    ORDER BY tp.partition";

const RECORDS: &str = "
    SELECT offset_id, coalesce(attributes, 0), coalesce(timestamp, -1), k, v
    FROM record
    WHERE topition = ?1
    ORDER BY offset_id";

const HEADERS: &str = "
    SELECT offset_id, k, v
    FROM header
    WHERE topition = ?1
    ORDER BY offset_id, rowid";

const OFFSETS: &str = "
    SELECT g.name, t.name, tp.partition, o.committed_offset, coalesce(o.leader_epoch, -1), o.metadata
    FROM consumer_offset o
    JOIN consumer_group g ON g.id = o.consumer_group
    JOIN topition tp ON tp.id = o.topition
    JOIN topic t ON t.id = tp.topic
    WHERE o.committed_offset IS NOT NULL
    ORDER BY g.name, t.name, tp.partition";

/// A topic of the former file.
#[derive(Debug)]
pub(super) struct FormerTopic {
    pub(super) name: String,
    pub(super) id: Uuid,
    pub(super) configs: BTreeMap<String, String>,
    pub(super) partitions: Vec<FormerPartition>,
}

/// A partition of the former file: its number there, its start and its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormerPartition {
    pub(super) number: i64,
    pub(super) start: i64,
    pub(super) end: i64,
}

/// A header's name, and its value if it has one.
type NameAndValue = (Vec<u8>, Option<Vec<u8>>);

/// A record of the former file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct FormerRecord {
    pub(super) offset: i64,
    pub(super) timestamp_ms: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<NameAndValue>,
}

/// The open former file.
#[derive(Debug)]
pub(super) struct Source {
    connection: Connection,
}

impl Source {
    /// Opens the file, and moves the content of its write-ahead file into it.
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        // Open for writing, because a leftover write-ahead file may need recovery.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(Self { connection })
    }

    pub(super) fn close(self) -> Result<(), StoreError> {
        self.connection
            .close()
            .map_err(|(_, error)| StoreError::from(error))
    }

    /// Counts the records that consumers see.
    pub(super) fn count(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection.query_row(
            "SELECT count(*) FROM record WHERE coalesce(attributes, 0) & ?1 = 0",
            [CONTROL],
            |row| row.get(0),
        )?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Reads all topics.
    pub(super) fn topics(&self) -> Result<Vec<FormerTopic>, StoreError> {
        let mut rows = self.connection.prepare(TOPICS)?;
        let mut rows = rows.query([])?;
        let mut topics = Vec::new();
        while let Some(row) = rows.next()? {
            let (number, name): (i64, String) = (row.get(0)?, row.get(1)?);
            let id: String = row.get(2)?;
            let id = Uuid::parse_str(&id)
                .map_err(|_| StoreError::Former(format!("topic {name} has the id {id:?}")))?;
            let mut configs = self.connection.prepare_cached(CONFIGS)?;
            let configs = configs.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
            topics.push(FormerTopic {
                configs: configs.collect::<Result<_, _>>()?,
                partitions: self.partitions(number, &name)?,
                name,
                id,
            });
        }
        Ok(topics)
    }

    fn partitions(&self, topic: i64, name: &str) -> Result<Vec<FormerPartition>, StoreError> {
        let mut rows = self.connection.prepare_cached(PARTITIONS)?;
        let mut rows = rows.query([topic])?;
        let mut partitions = Vec::new();
        while let Some(row) = rows.next()? {
            // In the new file a partition's position is its index.
            if row.get::<_, i64>(1)? != i64::try_from(partitions.len()).unwrap_or(-1) {
                let problem = format!("the partitions of topic {name} have a gap");
                return Err(StoreError::Former(problem));
            }
            let (low, first): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
            let (high, after_last): (i64, i64) = (row.get(4)?, row.get(5)?);
            partitions.push(FormerPartition {
                number: row.get(0)?,
                start: first.map_or(low, |first| first.min(low)),
                end: high.max(after_last),
            });
        }
        Ok(partitions)
    }

    /// Whether a partition has no records that consumers see.
    pub(super) fn is_empty(&self, partition: i64) -> Result<bool, StoreError> {
        Ok(self.connection.query_row(
            "SELECT NOT EXISTS (SELECT 1 FROM record WHERE topition = ?1 AND coalesce(attributes, 0) & ?2 = 0)",
            [partition, CONTROL],
            |row| row.get(0),
        )?)
    }

    /// Calls `each` with every record of a partition that consumers see, ordered by offset.
    pub(super) fn for_each_record(
        &self,
        partition: i64,
        mut each: impl FnMut(FormerRecord) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut rows = self.connection.prepare_cached(RECORDS)?;
        let mut rows = rows.query([partition])?;
        let mut headers = self.connection.prepare_cached(HEADERS)?;
        let mut headers = Ahead::new(headers.query([partition])?)?;
        while let Some(row) = rows.next()? {
            let offset = row.get(0)?;
            let headers = headers.of(offset)?;
            if row.get::<_, i64>(1)? & CONTROL != 0 {
                continue;
            }
            each(FormerRecord {
                offset,
                timestamp_ms: row.get(2)?,
                key: octets(row, 3)?,
                value: octets(row, 4)?,
                headers,
            })?;
        }
        Ok(())
    }

    /// Reads the committed offsets of each group.
    pub(super) fn offsets(&self) -> Result<BTreeMap<String, Vec<CommittedOffset>>, StoreError> {
        let mut rows = self.connection.prepare(OFFSETS)?;
        let mut rows = rows.query([])?;
        let mut groups: BTreeMap<String, Vec<CommittedOffset>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let offset = CommittedOffset {
                topic: row.get(1)?,
                partition: row.get(2)?,
                offset: row.get(3)?,
                leader_epoch: row.get(4)?,
                metadata: row.get(5)?,
            };
            groups.entry(row.get(0)?).or_default().push(offset);
        }
        Ok(groups)
    }

    /// A producer id larger than all assigned ones.
    pub(super) fn next_producer_id(&self) -> Result<i64, StoreError> {
        let next = "SELECT coalesce(max(id), 0) + 1 FROM producer";
        Ok(self.connection.query_row(next, [], |row| row.get(0))?)
    }
}

/// Rows of headers, read in step with their records.
struct Ahead<'a> {
    rows: Rows<'a>,
    next: Option<Header>,
}

/// The offset of a header's record, its name and its value.
type Header = (i64, Vec<u8>, Option<Vec<u8>>);

impl<'a> Ahead<'a> {
    fn new(rows: Rows<'a>) -> Result<Self, StoreError> {
        let mut ahead = Self { rows, next: None };
        ahead.advance()?;
        Ok(ahead)
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        self.next = match self.rows.next()? {
            None => None,
            // Every header of Kafka has a name.
            Some(row) => Some((
                row.get(0)?,
                octets(row, 1)?.unwrap_or_default(),
                octets(row, 2)?,
            )),
        };
        Ok(())
    }

    /// Returns the headers of the record at `offset`. Skips those of earlier records, which no longer exist.
    fn of(&mut self, offset: i64) -> Result<Vec<NameAndValue>, StoreError> {
        let mut found = Vec::new();
        while let Some((at, name, value)) = self.next.take_if(|(at, ..)| *at <= offset) {
            if at == offset {
                found.push((name, value));
            }
            self.advance()?;
        }
        Ok(found)
    }
}

fn octets(row: &Row<'_>, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Ok(Some(bytes.to_vec())),
        ValueRef::Integer(_) | ValueRef::Real(_) => Err(StoreError::Former(
            "the file has a number instead of bytes".to_owned(),
        )),
    }
}
