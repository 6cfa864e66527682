//! Stores the committed offsets of consumer groups. Everything else about groups is in the coordinator's memory.

use rusqlite::{Connection, params};

use super::StoreError;

/// The progress of a group in one partition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CommittedOffset {
    /// The name of an existing topic.
    pub(crate) topic: String,
    /// The partition's index.
    pub(crate) partition: i32,
    /// The next offset to read.
    pub(crate) offset: i64,
    /// Leader epoch of the last record, or -1.
    pub(crate) leader_epoch: i32,
    /// The consumer's own text.
    pub(crate) metadata: Option<String>,
}

/// Writes offsets, except those of unknown or deleted topics.
pub(super) fn commit(
    connection: &Connection,
    group: &str,
    offsets: &[CommittedOffset],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO offsets (consumer_group, topic, partition, committed, leader_epoch, metadata)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6
        WHERE EXISTS (SELECT 1 FROM topics WHERE name = ?2)",
    )?;
    for offset in offsets {
        insert.execute(params![
            group,
            offset.topic,
            offset.partition,
            offset.offset,
            offset.leader_epoch,
            offset.metadata,
        ])?;
    }
    Ok(())
}

/// Reads the committed offsets of a group, by topic and partition.
pub(super) fn committed(
    connection: &Connection,
    group: &str,
) -> Result<Vec<CommittedOffset>, StoreError> {
    let mut rows = connection.prepare_cached(
        "SELECT topic, partition, committed, leader_epoch, metadata FROM offsets WHERE consumer_group = ?1
        ORDER BY topic, partition",
    )?;
    let rows = rows.query_map([group], |row| {
        Ok(CommittedOffset {
            topic: row.get(0)?,
            partition: row.get(1)?,
            offset: row.get(2)?,
            leader_epoch: row.get(3)?,
            metadata: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Reads the names of all groups with committed offsets.
pub(super) fn groups(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut rows = connection
        .prepare_cached("SELECT DISTINCT consumer_group FROM offsets ORDER BY consumer_group")?;
    let rows = rows.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes committed offsets of a group: all of them, or those of the given partitions.
pub(super) fn delete(
    connection: &Connection,
    group: &str,
    partitions: Option<&[(String, i32)]>,
) -> Result<(), StoreError> {
    match partitions {
        None => {
            connection
                .prepare_cached("DELETE FROM offsets WHERE consumer_group = ?1")?
                .execute([group])?;
        }
        Some(partitions) => {
            let mut delete = connection.prepare_cached(
                "DELETE FROM offsets WHERE consumer_group = ?1 AND topic = ?2 AND partition = ?3",
            )?;
            for (topic, partition) in partitions {
                delete.execute(params![group, topic, partition])?;
            }
        }
    }
    Ok(())
}
