//! The folder of a replay's files. A day appears in it when all files of the replay are complete.

use super::file::{FileError, at};
use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The folder for files until they are complete. Readers skip names that begin with a dot.
const UNFINISHED: &str = ".unfinished";
/// Follows the name of a file until its day is complete, so that no pattern for `*.parquet` finds
/// it.
const PART: &str = "part";

/// The folder. Dropping it removes what was not published.
pub(super) struct Folder {
    out: PathBuf,
    unfinished: PathBuf,
}

impl Folder {
    /// Makes the folder if it does not exist.
    pub(super) fn begin(out: &Path) -> Result<Self, FileError> {
        fs::create_dir_all(out).map_err(at(out))?;
        let unfinished = out.join(UNFINISHED);
        match fs::create_dir(&unfinished) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let path = unfinished.display();
                return Err(FileError::Refused(format!(
                    "{path} exists: another replay writes there, or one was interrupted; if none is running, remove it and try again"
                )));
            }
            made => made.map_err(at(&unfinished))?,
        }
        Ok(Self {
            out: out.to_owned(),
            unfinished,
        })
    }

    /// Creates a file of a data set and day.
    pub(super) fn create(&self, table: &str, day: &str, name: &str) -> Result<File, FileError> {
        let day = format!("day={day}");
        let final_place = self.out.join(table).join(&day);
        if final_place.exists() {
            return Err(exists(&final_place));
        }
        let folder = self.unfinished.join(table).join(day);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let path = folder.join(format!("{name}.{PART}"));
        File::create_new(&path).map_err(at(path))
    }

    /// Moves every day to its place.
    pub(super) fn publish(&self) -> Result<(), FileError> {
        for table in entries(&self.unfinished)? {
            let target = self.out.join(table.file_name().unwrap_or_default());
            fs::create_dir_all(&target).map_err(at(&target))?;
            for day in entries(&table)? {
                for file in entries(&day)? {
                    fs::rename(&file, file.with_extension("")).map_err(at(&file))?;
                }
                // The names must be on the disk before the day is visible.
                sync(&day)?;
                let place = target.join(day.file_name().unwrap_or_default());
                if place.exists() {
                    return Err(exists(&place));
                }
                fs::rename(&day, &place).map_err(at(&place))?;
            }
            sync(&target)?;
        }
        sync(&self.out)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is reported by the next replay.
        let _ = fs::remove_dir_all(&self.unfinished);
    }
}

/// A second file of a day would hold records twice.
fn exists(day: &Path) -> FileError {
    let day = day.display();
    FileError::Refused(format!(
        "{day} exists already, and its records may be the same; remove it or choose another folder"
    ))
}

/// The paths in a folder, in order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let read = fs::read_dir(folder).map_err(at(folder))?;
    let paths: std::io::Result<Vec<PathBuf>> = read.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(at(folder))?;
    paths.sort_unstable();
    Ok(paths)
}

fn sync(folder: &Path) -> Result<(), FileError> {
    let opened = File::open(folder).map_err(at(folder))?;
    opened.sync_all().map_err(at(folder))
}
