//! Finds out whether the log's folder has room, by writing a file into it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The file, which is removed at once.
pub(super) const FILE: &str = "records.room";
/// More than the page that could not be written, so that it finds no room either.
const BYTES: usize = 64 * 1024;

/// Whether a few pages can be written beside the log's `file`: `false` on a full disk and with a full quota. Any other
/// failure is not about room.
pub(super) fn is_left_beside(file: &Path) -> bool {
    let path = file.with_file_name(FILE);
    let written = try_to_write(&path);
    let removed = fs::remove_file(&path);
    let failure = written.and(removed).err().map(|error| error.kind());
    !matches!(
        failure,
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    )
}

fn try_to_write(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(&vec![0; BYTES])?;
    // A file system may allocate the space only when it writes the data to disk.
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_room_until_its_disk_is_full() {
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("records.db");
        assert!(is_left_beside(&file));
        std::os::unix::fs::symlink("/dev/full", dir.path().join(FILE)).unwrap();
        assert!(!is_left_beside(&file));
        assert!(is_left_beside(&file), "the probe is left behind");
        // A folder that does not exist is another failure.
        assert!(is_left_beside(&dir.path().join("absent/records.db")));
    }
}
