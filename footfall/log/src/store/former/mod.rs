//! Migrates the log of an earlier version of the program, which kept a row per record in `log.db`.
//!
//! The new file is built under another name, synced, compared record by record with the former one, and only then
//! renamed. The former file is kept under another name. A crash at any moment leaves either the former log or the
//! complete new one; the next start repeats or finishes the migration.

mod compare;
mod copy;
mod source;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tracing::info;

use self::source::Source;
use super::{Durability, StoreError, schema};

/// The former file.
const FORMER: &str = "log.db";
/// Its name once its records are in the new file.
const KEPT: &str = "log.db.migrated";
/// The new file until it is complete and compared.
const UNFINISHED: &str = "records.db.new";

/// The progress of a migration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Records copied plus records compared, so each record counts twice.
    pub done: u64,
    /// The final value of `done`.
    pub total: u64,
}

/// The result of a migration.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Migrated {
    /// The number of migrated topics.
    pub topics: u64,
    /// The number of migrated records. Each keeps its offset.
    pub records: u64,
    /// The new path of the former file. It may be deleted.
    pub kept: PathBuf,
}

/// Counts records, and reports every thousandth and the last one.
struct Counter<'a> {
    progress: Progress,
    report: &'a mut dyn FnMut(Progress),
}

impl Counter<'_> {
    fn add_one(&mut self) {
        self.progress.done += 1;
        if self.progress.done.is_multiple_of(1000) || self.progress.done == self.progress.total {
            (self.report)(self.progress);
        }
    }
}

/// Whether the folder holds a log of the former format that has not been migrated yet.
pub(crate) fn is_former(dir: &Path) -> bool {
    dir.join(FORMER).is_file()
}

/// Migrates the former log of a folder. Blocks until it is done: about a minute per few million records.
pub(crate) fn migrate(
    dir: &Path,
    report: &mut dyn FnMut(Progress),
) -> Result<Migrated, StoreError> {
    let place = schema::prepare_folder(dir)?;
    let dir = place.file.parent().unwrap_or(dir).to_owned();
    let in_folder = |source: io::Error| StoreError::Folder {
        dir: dir.clone(),
        source,
    };
    let former = dir.join(FORMER);
    let mut migrated = Migrated {
        kept: unused(&dir.join(KEPT)),
        ..Migrated::default()
    };
    // The new file gets its name only when it is complete. If it exists, there are two possible reasons. Either a crash
    // prevented the renaming of the former file, or an earlier version ran after the migration and began a new log.
    if place.file.exists() {
        check_same(&former, &place.file, report)?;
    } else {
        let unfinished = dir.join(UNFINISHED);
        remove(&unfinished).map_err(in_folder)?;
        let built = build(&former, &unfinished, report, &mut migrated);
        if let Err(error) = built {
            // Free the space of the incomplete file: the disk may be full.
            let _ = remove(&unfinished);
            return Err(error);
        }
        fs::rename(&unfinished, &place.file).map_err(in_folder)?;
        schema::sync_folder(&dir).map_err(in_folder)?;
    }
    // The main file last: until it is renamed, the next start finishes the migration.
    for suffix in ["-wal", "-shm", ""] {
        let from = with_suffix(&former, suffix);
        if from.exists() {
            fs::rename(&from, with_suffix(&migrated.kept, suffix)).map_err(in_folder)?;
        }
    }
    schema::sync_folder(&dir).map_err(in_folder)?;
    let kept = migrated.kept.display();
    info!(
        log.records = migrated.records,
        "the log has a new format; the former log is kept as {kept} and may be deleted with: rm {kept}*"
    );
    Ok(migrated)
}

/// Reports an error if the new file differs from the former one.
fn check_same(
    former: &Path,
    file: &Path,
    report: &mut dyn FnMut(Progress),
) -> Result<(), StoreError> {
    let source = Source::open(former)?;
    let mut counter = Counter {
        progress: Progress {
            done: 0,
            total: source.count()?,
        },
        report,
    };
    let target = schema::open_reader(file)?;
    let compared = compare::compare(&source, &target, &mut counter);
    close(target)?;
    source.close()?;
    compared.map_err(|error| match error {
        StoreError::Former(difference) => StoreError::Former(format!(
            "{} and {} hold different records, so an earlier version of the program has written since the migration; \
            move one of them out of the folder ({difference})",
            former.display(),
            file.display()
        )),
        failure => failure,
    })
}

/// This path, or the first free one with a number appended, so that a log kept before is not overwritten.
fn unused(path: &Path) -> PathBuf {
    let numbered = (2..).map(|number| with_suffix(path, &format!(".{number}")));
    let mut paths = std::iter::once(path.to_owned()).chain(numbered);
    paths
        .find(|path| !path.exists())
        .unwrap_or_else(|| path.to_owned())
}

fn build(
    former: &Path,
    unfinished: &Path,
    report: &mut dyn FnMut(Progress),
    migrated: &mut Migrated,
) -> Result<(), StoreError> {
    let source = Source::open(former)?;
    migrated.records = source.count()?;
    let mut counter = Counter {
        progress: Progress {
            done: 0,
            total: migrated.records * 2,
        },
        report,
    };
    (counter.report)(counter.progress);
    let target = schema::open_writer(unfinished, Durability::Process)?;
    // No fsync per commit: the complete file is synced below, before it is used.
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update(None, "wal_autocheckpoint", 4096)?;
    migrated.topics = copy::copy(&source, &target, &mut counter)?;
    target.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    close(target)?;
    let synced = File::open(unfinished).and_then(|file| file.sync_all());
    synced.map_err(|source| StoreError::Folder {
        dir: unfinished.to_owned(),
        source,
    })?;
    let target = schema::open_reader(unfinished)?;
    compare::compare(&source, &target, &mut counter)?;
    close(target)?;
    source.close()
}

fn close(connection: Connection) -> Result<(), StoreError> {
    connection.close().map_err(|(_, error)| error.into())
}

/// Removes a file and the files that `SQLite` keeps beside it.
fn remove(file: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm", "-journal", ""] {
        match fs::remove_file(with_suffix(file, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
