//! As whom the server runs, and how its programs are started.
//!
//! PostgreSQL refuses to run as root. Started by root, its programs run through `setpriv` as an unprivileged user, who
//! keeps one capability only where it is needed: to pass through directories that nobody else may enter.
//! The rule to keep: no program of PostgreSQL is started except through [`Account::command`].

use std::{
    ffi::OsStr,
    os::unix::fs::{MetadataExt as _, chown},
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use super::PostgresError;

/// Who serves when root starts us, in this order.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];
/// How `setpriv` lets a user pass directories of mode 700, the least first; containers often have only the second
/// capability. Without the secure bit `access(2)` ignores capabilities, and `initdb` asks it about its programs.
const PASSAGES: [&[&str]; 5] = [
    &[],
    &[
        "--securebits=+no_setuid_fixup",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ],
    &[
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ],
    &[
        "--securebits=+no_setuid_fixup",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ],
    &["--inh-caps=+dac_override", "--ambient-caps=+dac_override"],
];
/// For programs that answer at once.
const SHORT: Duration = Duration::from_secs(30);

/// A user to run programs as.
#[derive(Clone, Debug)]
pub(super) struct Account {
    other: Option<Other>,
}

#[derive(Clone, Debug)]
struct Other {
    uid: u32,
    gid: u32,
    passage: &'static [&'static str],
}

impl Account {
    /// Ourselves, or for root: the owner of the cluster there is, else an unprivileged user, who can reach `dir`.
    pub(super) async fn for_directory(
        dir: &Path,
        owner: Option<(u32, u32)>,
    ) -> Result<Self, PostgresError> {
        if own_uid().await? != 0 {
            return Ok(Self { other: None });
        }
        let (uid, gid) = match owner.filter(|(uid, _)| *uid != 0) {
            Some(owner) => owner,
            None => unprivileged().await?,
        };
        let mut reasons = Vec::new();
        for passage in PASSAGES {
            let account = Self {
                other: Some(Other { uid, gid, passage }),
            };
            let mut probe = account.command("sh");
            probe.args(["-c", "cd \"$1\" && test -x .", "sh"]).arg(dir);
            match account.run(probe).await {
                Ok(_) => return Ok(account),
                Err(PostgresError::Program { output, .. }) => reasons.push(output),
                Err(error) => return Err(error),
            }
        }
        reasons.dedup();
        Err(PostgresError::Privilege {
            reason: format!(
                "the user of id {uid} cannot reach {} ({})",
                dir.display(),
                reasons.join("; ")
            ),
        })
    }

    /// The program as this user: a process group of its own, so that Ctrl-C in our terminal is not its business, an
    /// environment without settings for PostgreSQL's clients, and nothing on our terminal.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match &self.other {
            None => Command::new(program),
            Some(other) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={}", other.uid))
                    .arg(format!("--regid={}", other.gid))
                    .arg("--clear-groups");
                command.args(other.passage);
                command.arg("--").arg(program);
                command
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command
            .env("LC_ALL", "C")
            // Our own working directory may be closed to this user.
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Is this somebody else than ourselves?
    pub(super) fn is_other(&self) -> bool {
        self.other.is_some()
    }

    /// Runs a program that answers at once; what it wrote, also as the error.
    pub(super) async fn run(&self, command: Command) -> Result<String, PostgresError> {
        run(command, SHORT).await
    }

    /// Makes the file or directory this user's.
    pub(super) fn give(&self, path: &Path) -> Result<(), PostgresError> {
        self.other.as_ref().map_or(Ok(()), |other| {
            chown(path, Some(other.uid), Some(other.gid)).map_err(PostgresError::file(path))
        })
    }
}

/// Runs a program to its end, for so long; what it wrote, also as the error.
pub(super) async fn run(mut command: Command, patience: Duration) -> Result<String, PostgresError> {
    let named = command.as_std();
    let name = |name: &OsStr| {
        let name = Path::new(name).file_name().unwrap_or(name);
        name.to_string_lossy().into_owned()
    };
    // Behind `setpriv … --` comes the program that is meant.
    let behind = named.get_args().skip_while(|arg| *arg != "--").nth(1);
    let wrapper = name(named.get_program());
    let program = behind
        .filter(|_| wrapper == "setpriv")
        .map_or(wrapper, name);
    let failed = |output: String| PostgresError::Program {
        program: program.clone(),
        output,
    };
    command.kill_on_drop(true);
    let output = match timeout(patience, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if command.as_std().get_program() == "setpriv" => {
            return Err(PostgresError::Privilege {
                reason: format!("the program `setpriv` (package util-linux) is needed: {error}"),
            });
        }
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed(format!("no end after {patience:?}"))),
    };
    let text = text(&output);
    if output.status.success() {
        Ok(text)
    } else if text.is_empty() {
        Err(failed(output.status.to_string()))
    } else {
        Err(failed(text))
    }
}

fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    both.concat().trim().to_owned()
}

async fn own_uid() -> Result<u32, PostgresError> {
    number("-u", None)
        .await?
        .ok_or_else(|| PostgresError::Program {
            program: "id".to_owned(),
            output: "it does not say who we are".to_owned(),
        })
}

async fn unprivileged() -> Result<(u32, u32), PostgresError> {
    for name in UNPRIVILEGED {
        let uid = number("-u", Some(name)).await?;
        if let (Some(uid), Some(gid)) = (uid, number("-g", Some(name)).await?) {
            return Ok((uid, gid));
        }
    }
    Err(PostgresError::Privilege {
        reason: "there is neither a user `postgres` nor `nobody`".to_owned(),
    })
}

/// What `id` says, nothing for a user that does not exist.
async fn number(which: &str, user: Option<&str>) -> Result<Option<u32>, PostgresError> {
    let mut command = Account { other: None }.command("id");
    command.arg(which).args(user);
    match run(command, SHORT).await {
        Ok(answer) => Ok(answer.parse().ok()),
        Err(PostgresError::Program { .. }) if user.is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who owns the path, if it is there.
pub(super) fn owner(path: &Path) -> Option<(u32, u32)> {
    path.metadata()
        .ok()
        .map(|metadata| (metadata.uid(), metadata.gid()))
}
