//! Files and folders that only their owner may read, write or enter.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
    },
    path::Path,
};

/// The permissions of the group and all others.
const OTHERS: u32 = 0o077;

/// Makes a folder, and the missing ones above it, for its owner only. An existing folder loses the
/// permissions of all others.
///
/// # Errors
/// When it cannot be made, or belongs to another user.
pub fn make_folder(path: &Path) -> io::Result<()> {
    create_folder(path)?;
    protect(path)
}

/// Makes a folder, and the missing ones above it, for its owner only. An existing folder stays as
/// it is. A new folder is on the disk when this returns.
///
/// # Errors
/// When it cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let made: Vec<&Path> = path.ancestors().take_while(missing).collect();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    made.into_iter().try_for_each(sync_name)
}

/// Removes the permissions of the group and all others from a file or folder; the owner's stay. A
/// symbolic link is followed only if its target belongs to the link's owner, because any user can
/// make a link to our files.
///
/// # Errors
/// When it does not exist, belongs to another user, is a link that is not followed, or is neither a
/// file nor a folder.
pub fn protect(path: &Path) -> io::Result<()> {
    let refused = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let found = fs::metadata(path)?;
    if !found.is_file() && !found.is_dir() {
        // Opening a pipe would wait for another program.
        return Err(refused("neither a file nor a folder"));
    }
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    // Checks and changes the opened file, even if the path leads elsewhere meanwhile.
    let file = File::open(path)?;
    let (named, opened) = (fs::symlink_metadata(path)?, file.metadata()?);
    let same = (named.dev(), named.ino()) == (opened.dev(), opened.ino());
    let own_link = named.is_symlink() && named.uid() == opened.uid();
    if !same && !own_link {
        return Err(refused("a symbolic link to what belongs to another user"));
    }
    file.set_permissions(Permissions::from_mode(opened.mode() & 0o7777 & !OTHERS))
}

/// Writes a file that only its owner may read, whole or not at all. It is on the disk when this
/// returns.
///
/// # Errors
/// When it cannot be written.
pub fn write_file(path: &Path, text: &str) -> io::Result<()> {
    write(path, text, File::sync_all)
}

fn write(path: &Path, text: &str, sync: impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    // A leftover of a crash, or another user's link: `create_new` refuses both.
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
    sync(&file)?;
    fs::rename(&unfinished, path)?;
    // Without this, a power loss may undo the rename.
    sync(&folder_of(path)?)
}

/// Puts the name of a file or folder on the disk, but not its content.
///
/// # Errors
/// When the parent folder cannot be opened or synced.
pub fn sync_name(path: &Path) -> io::Result<()> {
    folder_of(path)?.sync_all()
}

fn folder_of(path: &Path) -> io::Result<File> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))
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

    #[test]
    fn the_content_reaches_the_disk_before_the_rename_and_the_name_after_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("secrets.toml");
        let synced = std::cell::RefCell::new(Vec::new());
        write(&path, "secret", |file| {
            let is_folder = file.metadata()?.is_dir();
            synced.borrow_mut().push((is_folder, path.exists()));
            Ok(())
        })
        .unwrap();
        assert_eq!(synced.into_inner(), [(false, false), (true, true)]);
        let lost = |_: &File| Err(io::Error::other("a broken disk"));
        assert!(write(&path, "another", lost).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret");
    }

    #[test]
    fn a_link_to_another_users_file_is_not_followed() {
        use std::os::unix::fs::{lchown, symlink};
        let dir = tempfile::TempDir::new().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::create_dir(&target).unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o755)).unwrap();
        symlink(&target, &link).unwrap();
        protect(&link).unwrap();
        assert_eq!(mode(&target), 0o700, "our own link");

        fs::set_permissions(&target, Permissions::from_mode(0o755)).unwrap();
        if let Err(error) = lchown(&link, Some(65_534), None) {
            eprintln!("SKIPPED: only root can make another user's link: {error}");
            return;
        }
        assert!(protect(&link).is_err());
        assert!(make_folder(&link).is_err());
        assert_eq!(mode(&target), 0o755);
        // Writing replaces a link instead of following it.
        let file = dir.path().join("file");
        fs::write(&file, "of another").unwrap();
        for name in ["written", "written.new"] {
            symlink(&file, dir.path().join(name)).unwrap();
        }
        write_file(&dir.path().join("written"), "ours").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "of another");
    }

    #[test]
    fn a_path_that_is_neither_a_file_nor_a_folder_is_refused_at_once() {
        let dir = tempfile::TempDir::new().unwrap();
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, Permissions::from_mode(0o777)).unwrap();
        let error = protect(&socket).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
