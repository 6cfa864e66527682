//! Finds the programs of PostgreSQL: installed ones, or downloaded ones.
//!
//! The rule to keep: a directory counts only if it holds `postgres`, `initdb` and `pg_ctl`, if they
//! run, and if their version can open the cluster. Wrappers and client-only packages look alike
//! otherwise.

use std::{
    env,
    path::{Path, PathBuf},
};

use tracing::debug;

use super::{PostgresError, download, privilege::Account};

/// The oldest version whose settings and SQL we rely on.
const OLDEST: u32 = 15;

/// Where root keeps downloaded programs, because the user that runs them cannot enter its data
/// directory.
const SHARED: &str = "/var/cache/footfall-postgresql";

/// Which server programs to use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Programs {
    /// Installed ones if there are any, otherwise downloaded ones.
    #[default]
    Auto,
    /// Installed ones only.
    Installed,
    /// Downloaded ones only.
    Download,
}

impl std::str::FromStr for Programs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "installed" => Ok(Self::Installed),
            "download" => Ok(Self::Download),
            _ => Err(format!("is {text:?}; give auto, installed or download")),
        }
    }
}

/// The programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    dir: PathBuf,
    /// The major version.
    pub(super) version: u32,
}

impl Binaries {
    /// Programs that can open a cluster of version `wanted`, or create a new one.
    pub(super) async fn find(
        programs: Programs,
        dir: &Path,
        wanted: Option<u32>,
        account: &Account,
    ) -> Result<Self, PostgresError> {
        let mut found = Vec::new();
        if programs != Programs::Download {
            for candidate in candidates(account).await {
                match Self::check(&candidate, account).await {
                    Ok(binaries) if wanted.is_none_or(|wanted| wanted == binaries.version) => {
                        debug!("embedded PostgreSQL: programs in {}", candidate.display());
                        return Ok(binaries);
                    }
                    Ok(other) => {
                        let version = other.version;
                        found.push(format!("version {version} in {}", candidate.display()));
                    }
                    Err(error) => found.push(format!("{}: {error}", candidate.display())),
                }
            }
        }
        if programs == Programs::Installed {
            return Err(missing(dir, wanted, &found));
        }
        let shared = account.is_other().then_some(Path::new(SHARED));
        let bin = download::programs(dir, shared, wanted).await?;
        Self::check(&bin, account).await
    }

    /// The programs in a directory, if all are there and new enough.
    async fn check(dir: &Path, account: &Account) -> Result<Self, PostgresError> {
        let binaries = Self {
            dir: dir.to_owned(),
            version: 0,
        };
        let no = |reason: String| PostgresError::NoPrograms { reason };
        for program in ["initdb", "pg_ctl"] {
            if !binaries.program(program).is_file() {
                return Err(no(format!("no {program} there")));
            }
        }
        // Runs as the server's user, so that programs below a closed directory fail here and not
        // later.
        let mut version = account.command(binaries.program("postgres"));
        version.arg("--version");
        let said = account.run(version).await?;
        match major(&said) {
            Some(version) if version >= OLDEST => Ok(Self {
                version,
                ..binaries
            }),
            _ => Err(no(said)),
        }
    }

    /// The path of one of the programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The number in "postgres (PostgreSQL) 15.18 (Debian …)" and in "PostgreSQL 17beta1".
pub(super) fn major(said: &str) -> Option<u32> {
    let number = said.split("PostgreSQL").nth(1)?;
    let number = number.trim_start_matches([')', ' ']);
    let end = number.find(|character: char| !character.is_ascii_digit());
    number.get(..end.unwrap_or(number.len()))?.parse().ok()
}

/// Directories where servers are installed: real paths, each once, the best first.
async fn candidates(account: &Account) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    let mut ask = account.command("pg_config");
    ask.arg("--bindir");
    if let Ok(dir) = account.run(ask).await {
        dirs.push(PathBuf::from(dir));
    }
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    dirs.extend(versions.into_iter().map(|(_, dir)| dir));
    dirs.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut real = Vec::new();
    for dir in dirs {
        // For a link in PATH, its target's directory: the link's own directory may lack the
        // libraries.
        if let Ok(postgres) = std::fs::canonicalize(dir.join("postgres"))
            && let Some(dir) = postgres.parent()
            && !real.iter().any(|known| known == dir)
        {
            real.push(dir.to_owned());
        }
    }
    real
}

fn missing(dir: &Path, wanted: Option<u32>, found: &[String]) -> PostgresError {
    let found = if found.is_empty() {
        "none".to_owned()
    } else {
        found.join(", ")
    };
    match wanted {
        Some(wanted) => PostgresError::OtherVersion {
            dir: dir.to_owned(),
            wanted,
            found,
        },
        None => PostgresError::NoPrograms {
            reason: format!("looked at pg_config, /usr/lib/postgresql and PATH, found {found}"),
        },
    }
}
