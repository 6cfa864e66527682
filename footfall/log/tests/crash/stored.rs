//! Reads the writer of each record from the file of a log that is not in use, because consumers cannot see it.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OpenFlags, Row};

use crate::{
    checker::{Partition, Writer},
    setup::TOPIC,
};

/// The writers of all records of the topic, by partition and offset.
///
/// # Errors
/// `SQLite`'s error if the file is not a log.
pub fn writers(folder: &Path) -> Result<BTreeMap<(Partition, i64), Writer>, rusqlite::Error> {
    let file = folder.join("records.db");
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut partitions =
        connection.prepare("SELECT number, \"index\" FROM partitions WHERE topic = ?1")?;
    let partitions = partitions.query_map([TOPIC], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut writers = BTreeMap::new();
    for partition in partitions {
        let (number, index): (i64, Partition) = partition?;
        // Fields of Kafka's batch header, which `substr` counts from 1.
        let mut batches = connection.prepare(&format!(
            "SELECT base, base + last, substr(bytes, 44, 8), substr(bytes, 52, 2) FROM batches_{number}"
        ))?;
        let mut rows = batches.query([])?;
        while let Some(row) = rows.next()? {
            let (first, last): (i64, i64) = (row.get(0)?, row.get(1)?);
            let writer = writer(row)?;
            writers.extend((first..=last).map(|offset| ((index, offset), writer)));
        }
    }
    Ok(writers)
}

fn writer(row: &Row<'_>) -> Result<Writer, rusqlite::Error> {
    Ok(Writer {
        id: i64::from_be_bytes(row.get(2)?),
        epoch: i16::from_be_bytes(row.get(3)?),
    })
}
