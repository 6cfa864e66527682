//! Where the log's file is, and the URL by which nisshi finds it.
//!
//! nisshi joins a URL's percent-encoded path to the working directory and does not decode it. A second leading slash
//! makes the path absolute; a path that a URL would encode is given by an alias without such characters.
//! The rule to keep: `SQLite` sees one real file whatever the alias (it resolves links), so every start finds the same log.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use url::Url;

use crate::private;

/// The log's file name; `SQLite` keeps `-wal` and `-shm` beside it.
const FILE: &str = "log.db";

/// A directory under a name that a URL carries unchanged.
#[derive(Debug)]
pub(super) struct Location {
    dir: PathBuf,
    _alias: Option<Alias>,
}

impl Location {
    /// Creates the directory if need be, closes it and the log in it to other users, and finds a name for it.
    pub(super) fn of(dir: &Path) -> io::Result<Self> {
        private::make_folder(dir)?;
        let dir = fs::canonicalize(dir)?;
        // `SQLite` gives the files that it keeps beside this one the same mode.
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(dir.join(FILE))?;
        for suffix in ["", "-wal", "-shm"] {
            let file = dir.join(format!("{FILE}{suffix}"));
            if file.exists() {
                private::protect(&file)?;
            }
        }
        if is_plain(&dir) {
            return Ok(Self { dir, _alias: None });
        }
        let alias = Alias::of(&dir)?;
        Ok(Self {
            dir: alias.path(),
            _alias: Some(alias),
        })
    }

    /// The log's file, absolute, in characters that a URL keeps.
    pub(super) fn file(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// The same as nisshi wants it.
    pub(super) fn url(&self) -> Result<Url, url::ParseError> {
        Url::parse(&format!("sqlite:///{}", self.file().display()))
    }
}

/// Would a URL carry this path as it is?
fn is_plain(path: &Path) -> bool {
    path.to_str().is_some_and(|path| {
        path.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~+,@=".contains(&byte))
    })
}

/// The directory itself, kept open: its number is a name for it that dies with this process.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Alias(fs::File);

#[cfg(target_os = "linux")]
impl Alias {
    fn of(dir: &Path) -> io::Result<Self> {
        fs::File::open(dir).map(Self)
    }

    fn path(&self) -> PathBuf {
        use std::os::fd::AsRawFd as _;
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

/// A link in the system's directory for temporary files, named after this process.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Alias(PathBuf);

#[cfg(not(target_os = "linux"))]
impl Alias {
    fn of(dir: &Path) -> io::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let link = std::env::temp_dir().join(format!("footfall-{}-{number}", std::process::id()));
        if !is_plain(&link) {
            return Err(io::Error::other(
                "its path and that of the directory for temporary files both have characters that the log's storage cannot take",
            ));
        }
        // A dead process of the same number may have left one.
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(dir, &link)?;
        Ok(Self(link))
    }

    fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

#[cfg(not(target_os = "linux"))]
impl Drop for Alias {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
