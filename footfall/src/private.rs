//! Files and folders that only their owner may read, write or enter.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// The part of a mode for the group and all others.
const OTHERS: u32 = 0o077;

/// Makes a folder, with those above it, for its owner only. One that is there already loses what others may do.
///
/// # Errors
/// When it cannot be made, or belongs to another user.
pub fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    protect(path)
}

/// Removes the rights of the group and all others on a file or folder; the owner's stay.
///
/// # Errors
/// When it is not there, or belongs to another user.
pub fn protect(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS))
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_lose_every_right_and_the_owner_none() {
        let dir = tempfile::TempDir::new().unwrap();
        let folder = dir.path().join("a/b");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        make_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        for (before, after) in [(0o755, 0o700), (0o2770, 0o2700), (0o500, 0o500)] {
            fs::set_permissions(&folder, Permissions::from_mode(before)).unwrap();
            make_folder(&folder).unwrap();
            assert_eq!(mode(&folder), after, "{before:o}");
        }
        let file = dir.path().join("file");
        for text in ["one", "two"] {
            write_file(&file, text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert_eq!(mode(&file), 0o600);
        }
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        protect(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert!(protect(&dir.path().join("absent")).is_err());
    }
}
