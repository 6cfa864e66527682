//! Chooses the user that the server runs as, and starts its programs as that user.
//!
//! PostgreSQL refuses to run as root. Started by root, its programs run through `setpriv` as an
//! unprivileged user without any capability, so that the server reads only what every user of the
//! host may read. Root opens the cluster's directory before it becomes that user, and the programs
//! get it as an open file. The rule to keep: start every program of PostgreSQL through
//! [`Account::command`].

use std::{
    ffi::OsStr,
    fs::File,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use super::PostgresError;

/// Users that the server runs as if root starts us, in this order.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];
/// The only variables of our environment that the programs get: paths of programs and libraries.
/// All others stay here, above all settings that are secrets.
const ENVIRONMENT: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];
/// Passes a program's standard input on to it as file 9, which its own child processes inherit.
const PASS_ON: &str = "exec 9<&0 </dev/null; exec \"$0\" \"$@\"";
/// File 9 of the process that opens this path. The kernel follows this link without checking the
/// directories above it, which may be closed to the user. The working directory cannot replace it:
/// programs before version 16 leave it and cannot return.
const PASSED_ON: &str = "/proc/self/fd/9";
/// Deadline for programs that answer at once.
const SHORT: Duration = Duration::from_secs(30);

/// A user to run programs as.
#[derive(Clone, Debug)]
pub(super) struct Account {
    other: Option<Other>,
}

#[derive(Clone, Copy, Debug)]
struct Other {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves. For root: the owner of an existing cluster, otherwise an unprivileged user.
    pub(super) async fn of(owner: Option<(u32, u32)>) -> Result<Self, PostgresError> {
        if own_uid().await? != 0 {
            return Ok(Self { other: None });
        }
        let (uid, gid) = match owner.filter(|(uid, _)| *uid != 0) {
            Some(owner) => owner,
            None => unprivileged().await?,
        };
        Ok(Self {
            other: Some(Other { uid, gid }),
        })
    }

    /// The program as this user. It gets a process group of its own, so that Ctrl-C in our terminal
    /// does not reach it. It gets a clean environment, and writes nothing to our terminal.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match &self.other {
            None => Command::new(program),
            Some(other) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={}", other.uid))
                    .arg(format!("--regid={}", other.gid))
                    // Becoming another user drops all capabilities; these flags keep it from
                    // regaining any.
                    .args(["--clear-groups", "--inh-caps=-all", "--no-new-privs"]);
                command.arg("--").arg(program);
                command
            }
        };
        command.env_clear();
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
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

    /// The program on the cluster in that directory, even if the user cannot enter the directories
    /// above it.
    pub(super) fn command_on(
        &self,
        data: &Path,
        program: impl AsRef<OsStr>,
    ) -> Result<Command, PostgresError> {
        if !self.is_other() {
            let mut command = self.command(program);
            command.arg("-D").arg(data);
            return Ok(command);
        }
        let directory = File::open(data).map_err(PostgresError::file(data))?;
        let mut command = self.command("sh");
        command
            .args(["-c", PASS_ON])
            .arg(program)
            .args(["-D", PASSED_ON])
            .stdin(directory);
        Ok(command)
    }

    /// The path of a file beside the cluster, for programs of [`Self::command_on`]. The user must
    /// be able to enter the directory that holds both.
    pub(super) fn beside(&self, data: &Path, name: &str) -> PathBuf {
        let data = if self.is_other() {
            Path::new(PASSED_ON)
        } else {
            data
        };
        data.join("..").join(name)
    }

    /// The user's id, if it is not our own.
    pub(super) fn other_uid(&self) -> Option<u32> {
        self.other.map(|other| other.uid)
    }

    /// True if it is another user than ourselves.
    pub(super) fn is_other(&self) -> bool {
        self.other.is_some()
    }

    /// Runs a program that answers at once. Returns its output, also as the error.
    pub(super) async fn run(&self, command: Command) -> Result<String, PostgresError> {
        run(command, SHORT).await
    }

    /// Gives the file or directory to this user.
    pub(super) fn give(&self, path: &Path) -> Result<(), PostgresError> {
        self.other.as_ref().map_or(Ok(()), |other| {
            chown(path, Some(other.uid), Some(other.gid)).map_err(PostgresError::file(path))
        })
    }
}

/// Runs a program to its end, for at most that long. Returns its output, also as the error.
pub(super) async fn run(mut command: Command, patience: Duration) -> Result<String, PostgresError> {
    let named = command.as_std();
    let name = |name: &OsStr| {
        let name = Path::new(name).file_name().unwrap_or(name);
        name.to_string_lossy().into_owned()
    };
    // After `setpriv … --` comes the actual program, or the shell that passes a file on to it.
    let behind = named.get_args().skip_while(|arg| *arg != "--").skip(1);
    let behind: Vec<&OsStr> = behind.take(4).collect();
    let behind = match behind[..] {
        [_, _, script, program] if script == PASS_ON => Some(program),
        [program, ..] => Some(program),
        [] => None,
    };
    let wrapper = name(named.get_program());
    let program = behind
        .filter(|_| wrapper == "setpriv")
        .map_or(wrapper, name);
    let failed = |output: String| PostgresError::Program {
        program: program.clone(),
        output,
    };
    // Ends a program that exceeds its time, because the timeout drops its future.
    command.kill_on_drop(true);
    let output = match timeout(patience, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if command.as_std().get_program() == "setpriv" => {
            return Err(PostgresError::Privilege {
                reason: format!("the program `setpriv` (package util-linux) is needed: {error}"),
            });
        }
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed(format!("it did not end within {patience:?}"))),
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
            output: "it did not print a user id".to_owned(),
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
        reason: "this machine needs a user `postgres` or `nobody`".to_owned(),
    })
}

/// The number that `id` prints; `None` for an unknown user.
async fn number(which: &str, user: Option<&str>) -> Result<Option<u32>, PostgresError> {
    let mut command = Account { other: None }.command("id");
    command.arg(which).args(user);
    match run(command, SHORT).await {
        Ok(answer) => Ok(answer.parse().ok()),
        Err(PostgresError::Program { .. }) if user.is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

/// User and group of the path, if it exists.
pub(super) fn owner(path: &Path) -> Option<(u32, u32)> {
    path.metadata()
        .ok()
        .map(|metadata| (metadata.uid(), metadata.gid()))
}
