//! Writes a replay as Parquet files: a data set a type, divided by the day of the append.
//!
//! The rule to keep: every selected record is in exactly one file. A record that the columns of its
//! type cannot hold exactly goes to the data set `other`, unchanged.

mod columns;
mod file;
mod folder;
mod row;
mod rows;
mod table;

use super::{Selection, read};
use file::{FileError, OpenFile};
use folder::Folder;
use jiff::{Timestamp, tz::TimeZone};
use rdkafka::Message;
use row::{Row, Tables};
use runtime::kafka::KafkaSettings;
use std::{collections::BTreeMap, path::Path};

pub use super::read::ReplayError;

/// Rows of a full row group. Readers work on row groups in parallel and skip them by their
/// statistics, so neither huge nor tiny ones help.
const GROUP_ROWS: usize = 100_000;
/// Bytes of all rows that wait for their row group. The largest group is written when there are
/// more.
const WAITING_BYTES: usize = 64 * 1024 * 1024;
/// Files open at the same time. The log is almost in the order of time, so more are rarely needed;
/// a day that comes back later gets another file.
const OPEN_FILES: usize = 64;
/// The name that Hive, Spark and `DuckDB` give to a missing value.
const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

impl From<FileError> for ReplayError {
    fn from(error: FileError) -> Self {
        Self::Files(error.to_string())
    }
}

/// What a replay has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Records in all files.
    pub records: u64,
    /// Files.
    pub files: u64,
}

/// Writes the selected records into files below `out`, and then moves each day to its place. Blocks.
///
/// # Errors
/// [`ReplayError`]; the folder is then as it was, unless a move failed, which leaves whole days.
pub fn write(
    kafka: &KafkaSettings,
    selection: &Selection,
    out: &Path,
    passed: impl FnMut(u64, u64),
) -> Result<Stored, ReplayError> {
    let mut files = Files::new(Folder::begin(out)?);
    read::each(kafka, selection, passed, |record| Ok(files.take(record)?))?;
    Ok(files.finish()?)
}

/// A file's data set and day.
type Place = (&'static str, String);

struct Files {
    folder: Folder,
    tables: Tables,
    open: BTreeMap<Place, OpenFile>,
    waiting_bytes: usize,
    stored: Stored,
}

impl Files {
    fn new(folder: Folder) -> Self {
        Self {
            folder,
            tables: Tables::new(),
            open: BTreeMap::new(),
            waiting_bytes: 0,
            stored: Stored::default(),
        }
    }

    fn take(&mut self, record: &impl Message) -> Result<(), FileError> {
        let Row { table, cells } = self.tables.row(record);
        let place = (table.name(), day(record));
        if !self.open.contains_key(&place) {
            self.make_room()?;
            let name = format!("{:03}-{:019}.parquet", record.partition(), record.offset());
            let file = self.folder.create(place.0, &place.1, &name)?;
            self.open.insert(place.clone(), OpenFile::new(table, file)?);
            self.stored.files += 1;
        }
        if let Some(file) = self.open.get_mut(&place) {
            self.stored.records += 1;
            self.waiting_bytes += file.push(cells, self.stored.records);
            if file.rows() >= GROUP_ROWS {
                self.waiting_bytes -= file.write_group()?;
            }
        }
        if self.waiting_bytes > WAITING_BYTES
            && let Some(largest) = self.open.values_mut().max_by_key(|file| file.bytes())
        {
            self.waiting_bytes -= largest.write_group()?;
        }
        Ok(())
    }

    /// Closes the file that was not used for longest if no other may be opened.
    fn make_room(&mut self) -> Result<(), FileError> {
        if self.open.len() < OPEN_FILES {
            return Ok(());
        }
        let idle = self.open.iter().min_by_key(|(_, file)| file.last_used());
        if let Some(place) = idle.map(|(place, _)| place.clone())
            && let Some(file) = self.open.remove(&place)
        {
            self.waiting_bytes -= file.bytes();
            file.close()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Stored, FileError> {
        for (_, file) in std::mem::take(&mut self.open) {
            file.close()?;
        }
        self.folder.publish()?;
        Ok(self.stored)
    }
}

/// The day on which the record was appended, in UTC. Days by the time of the append are complete
/// once they are over; days by the time of the event would get late events for ever.
fn day(record: &impl Message) -> String {
    let time = record.timestamp().to_millis();
    let time = time.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(
        || NO_DAY.to_owned(),
        |time| time.to_zoned(TimeZone::UTC).date().to_string(),
    )
}

#[cfg(test)]
mod tests;
