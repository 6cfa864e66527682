//! The data directory: the paths of the embedded parts' files, their protection, and the lock that
//! keeps a second process out.

use runtime::{Settings, private, program::Failure, settings::Setting};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tracing::warn;

/// Path of the data directory.
pub(crate) const FOLDER: Setting = Setting::new(
    "FOOTFALL_DATA_DIR",
    "./data",
    "folder for the data of the embedded parts",
);

/// All entries of the data directory. Each is closed to other users, even if the directory itself
/// is open.
const ENTRIES: [&str; 7] = [
    "log",
    "postgres",
    "spool",
    "secrets.toml",
    "run.json",
    "kafka.properties",
    "lock",
];
/// Mode bit of a folder that all users share, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// The folder in which the embedded parts keep their files.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

/// Held by the one process that uses the directory. The system releases it when the process ends,
/// even after a crash.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Unlocks explicitly, because closing the file may not: a child that is being started has a copy
/// of it until its program runs.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl DataDir {
    /// Opens the directory that `FOOTFALL_DATA_DIR` names. Creates it if it is missing, with access
    /// for its owner only.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        let path = settings.text(FOLDER).unwrap_or_else(|| "data".to_owned());
        let make = || -> std::io::Result<PathBuf> {
            private::create_folder(Path::new(&path))?;
            fs::canonicalize(&path)
        };
        let hint = "choose a folder that you may write with --data-dir";
        let path = make().map_err(|error| {
            Failure::Other(format!("the data directory {path}: {error}; {hint}"))
        })?;
        let data_dir = Self { path };
        data_dir.protect();
        Ok(data_dir)
    }

    /// Closes our files and folders to other users. Closes the data directory itself only if it
    /// holds nothing else and is not a shared folder.
    fn protect(&self) {
        let entries = ENTRIES.iter().map(|name| self.path.join(name));
        let mut paths: Vec<PathBuf> = entries.filter(|path| path.exists()).collect();
        if self.is_ours_alone() {
            paths.push(self.path.clone());
        }
        for path in paths {
            if let Err(error) = private::protect(&path) {
                let path = path.display();
                warn!("other users can access {path}, and its mode cannot be changed: {error}");
            }
        }
    }

    fn is_ours_alone(&self) -> bool {
        let shared = |metadata: fs::Metadata| metadata.permissions().mode() & STICKY != 0;
        let Ok(mut entries) = fs::read_dir(&self.path) else {
            return false;
        };
        !fs::metadata(&self.path).is_ok_and(shared)
            && entries.all(|entry| {
                let name = entry.map(|entry| entry.file_name());
                name.is_ok_and(|name| ENTRIES.iter().any(|ours| name == *ours))
            })
    }

    /// Finds the existing directory that `FOOTFALL_DATA_DIR` names, for commands that need the
    /// files of `footfall up`. Creates nothing.
    ///
    /// # Errors
    /// When it does not exist or cannot be used; the error says how to name another one.
    pub fn find(settings: &Settings) -> Result<Self, Failure> {
        let path = settings.text(FOLDER).unwrap_or_else(|| "data".to_owned());
        let failed = |what: String| {
            let shown = std::path::absolute(&path).unwrap_or_else(|_| PathBuf::from(&path));
            let hint =
                "name the data directory of `footfall up` with --data-dir or FOOTFALL_DATA_DIR";
            Failure::Other(format!(
                "the data directory {} {what}; {hint}",
                shown.display()
            ))
        };
        match fs::canonicalize(&path) {
            Ok(path) if path.is_dir() => Ok(Self { path }),
            Ok(_) => Err(failed("is not a folder".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(failed("does not exist".to_owned()))
            }
            Err(error) => Err(failed(format!("cannot be used: {error}"))),
        }
    }

    /// Its absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Folder of the embedded log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Folder of the embedded PostgreSQL.
    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// Folder of events that the log does not accept in time.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// File of the generated secrets.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets.toml")
    }

    /// File from which scripts learn how to reach the running program.
    #[must_use]
    pub fn run_file(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// File from which Kafka clients learn how to reach the log.
    #[must_use]
    pub fn kafka_properties(&self) -> PathBuf {
        self.path.join("kafka.properties")
    }

    /// Locks the directory for this process.
    ///
    /// # Errors
    /// When another process holds the lock; the error names that process.
    pub fn lock(&self) -> Result<Lock, Failure> {
        let path = self.path.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() {
                    "another program".to_owned()
                } else {
                    format!("process {holder}")
                };
                let hint = "stop it, or choose another folder with --data-dir";
                return Err(Failure::Other(format!(
                    "{} is in use by {holder}; {hint}",
                    self.path.display()
                )));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Failure::Other(format!("{}: {error}", path.display())));
            }
        }
        // The lock file holds this process's id, so that a second start can report it.
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(Failure::other)?;
        Ok(Lock { file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn open(path: &Path) -> DataDir {
        let path = path.to_str().unwrap();
        DataDir::open(&Settings::from_pairs([("FOOTFALL_DATA_DIR", path)])).unwrap()
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn opening_closes_entries_to_other_users() {
        let parent = TempDir::new().unwrap();
        let folder = parent.path().join("data");
        fs::create_dir_all(folder.join("log")).unwrap();
        for name in ["secrets.toml", "run.json"] {
            fs::write(folder.join(name), "").unwrap();
            set_mode(&folder.join(name), 0o644);
        }
        set_mode(&folder.join("log"), 0o755);
        set_mode(&folder, 0o755);
        open(&folder);
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("log")), 0o700);
        assert_eq!(mode(&folder.join("secrets.toml")), 0o600);
        assert_eq!(mode(&folder.join("run.json")), 0o600);
    }

    #[test]
    fn a_shared_folder_stays_open_while_our_entries_are_closed() {
        for (before, foreign) in [(0o755, true), (0o1777, false)] {
            let parent = TempDir::new().unwrap();
            let folder = parent.path().join("shared");
            fs::create_dir_all(folder.join("log")).unwrap();
            if foreign {
                fs::write(folder.join("letters.txt"), "").unwrap();
            }
            set_mode(&folder.join("log"), 0o755);
            set_mode(&folder, before);
            open(&folder);
            assert_eq!(mode(&folder), before);
            assert_eq!(mode(&folder.join("log")), 0o700);
        }
    }
}
