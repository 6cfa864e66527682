//! A data directory that is removed with its test, including its PostgreSQL server, also when the test fails.

use runtime::{Clock, IdSource, SystemClock, SystemIds};
use std::{
    fs,
    ops::Deref,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// The deadline for the end of a server.
const PATIENCE: Duration = Duration::from_secs(20);

/// A data directory that does not exist yet, in a folder that only its owner may enter, like a home directory.
#[derive(Debug)]
pub struct Home {
    data: PathBuf,
}

impl Home {
    /// Makes the parent folder.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        let id = SystemIds.uuid_v7(SystemClock.now());
        let folder = std::env::temp_dir().join(format!("footfall-home-{id}"));
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700).create(&folder).unwrap();
        Self {
            data: folder.join("data"),
        }
    }

    /// The parent folder.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.data.parent().unwrap()
    }
}

impl Deref for Home {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.data
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A killed program leaves its server running. A clean stop leaves no pid file.
        if let Some(pid) = server(&self.data) {
            let _ = Command::new("kill").args(["-QUIT", &pid]).status();
            let begun = Instant::now();
            while is_postgres(&pid) && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = fs::remove_dir_all(self.folder());
    }
}

/// The server process in a data directory's pid file, if it is alive.
#[must_use]
pub fn server(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join("postgres/cluster/postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim();
    is_postgres(pid).then(|| pid.to_owned())
}

/// True while the process runs and is PostgreSQL.
#[must_use]
pub fn is_postgres(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let is = |name: &str, value: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.is_some_and(|line| line.trim().starts_with(value))
    };
    is("Name:", "postgres") && !is("State:", "Z")
}
