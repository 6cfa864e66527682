//! The data directory: where the embedded parts keep things, and who may use it.

use runtime::{Settings, program::Failure};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The folder of everything the embedded parts keep.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

/// Held by the one program that uses the directory; given back when it ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataDir {
    /// The directory that `FOOTFALL_DATA_DIR` names, made if it is not there, for its owner only.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        let path = settings
            .text("FOOTFALL_DATA_DIR")
            .unwrap_or_else(|| "data".to_owned());
        let make = || -> std::io::Result<PathBuf> {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)?;
            fs::canonicalize(&path)
        };
        let hint = "choose a folder that you may write with --data-dir";
        let path = make().map_err(|error| {
            Failure::Other(format!("the data directory {path}: {error}; {hint}"))
        })?;
        Ok(Self { path })
    }

    /// The directory that `FOOTFALL_DATA_DIR` names, for commands that need what `footfall up` has made there.
    /// Nothing is made.
    ///
    /// # Errors
    /// When it is not there; the error says how to name another one.
    pub fn find(settings: &Settings) -> Result<Self, Failure> {
        let path = settings
            .text("FOOTFALL_DATA_DIR")
            .unwrap_or_else(|| "data".to_owned());
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

    /// Folder of the embedded broker.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Folder of the embedded PostgreSQL.
    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// File of the secrets that were made here.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets.toml")
    }

    /// File that tells scripts how to reach the running program.
    #[must_use]
    pub fn run_file(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// Takes the directory for this process.
    ///
    /// # Errors
    /// When another program has it; the error says which.
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
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(Failure::other)?;
        Ok(Lock { _file: file })
    }
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
