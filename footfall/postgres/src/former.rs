//! Clears what an earlier run left behind: a living server, a zombie, or only its pid file.
//!
//! PostgreSQL checks its own pid file. But it takes a zombie, or an unrelated process with the same
//! id, for a living server, and never starts again. The rule to keep: remove the pid file only when
//! no process works in the cluster any more. The file names the shared memory by which PostgreSQL
//! itself detects survivors. The lock of its Unix socket has the same weakness.

use std::{fs, io, path::Path, time::Duration};

use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::{
    PostgresError,
    cluster::Cluster,
    privilege::{Account, run},
    programs::Binaries,
};

/// A fast shutdown writes the memory to disk; an immediate one does not.
const STOP_TIMEOUT: Duration = Duration::from_mins(1);
/// A server's processes notice its death at once, unless they are in the middle of a statement.
const SURVIVORS_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause between two looks at the processes.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// State of a process id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Process {
    /// There is no such process.
    Gone,
    /// Dead, but its parent has not waited for it.
    Zombie,
    /// Alive, and at work in the cluster.
    Ours,
    /// Alive, but unrelated.
    Stranger,
}

/// Ensures that no server uses the cluster.
pub(super) async fn clear(
    cluster: &Cluster,
    binaries: &Binaries,
    account: &Account,
) -> Result<(), PostgresError> {
    let Some(pid) = pid(&cluster.pid_file()) else {
        return cluster.remove_sockets();
    };
    let process = look(pid, &cluster.data(), account).await?;
    if process == Process::Ours {
        info!("embedded PostgreSQL: stopping the server of an earlier run (process {pid})");
        stop(cluster, binaries, account, pid).await?;
    }
    // Child processes may outlive their server and still use its shared memory.
    let mut survivors = at_work(&cluster.data(), account).await?;
    let deadline = Instant::now() + SURVIVORS_TIMEOUT;
    while let Some(survivor) = survivors.first() {
        if Instant::now() >= deadline {
            return Err(PostgresError::Former {
                dir: cluster.data(),
                pid: *survivor,
                reason: "it does not stop".to_owned(),
            });
        }
        sleep(LOOK_AGAIN).await;
        survivors = at_work(&cluster.data(), account).await?;
    }
    if matches!(process, Process::Zombie | Process::Stranger) {
        warn!("embedded PostgreSQL: removing the pid file of a dead server (process {pid})");
        let path = cluster.pid_file();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(PostgresError::file(path)(error));
            }
            _ => {}
        }
    }
    cluster.remove_sockets()
}

/// Stops the server of the cluster: with a fast shutdown, then with an immediate one.
pub(super) async fn stop(
    cluster: &Cluster,
    binaries: &Binaries,
    account: &Account,
    pid: u32,
) -> Result<(), PostgresError> {
    let mut last = String::new();
    for mode in ["fast", "immediate"] {
        let mut command = account.command_on(&cluster.data(), binaries.program("pg_ctl"))?;
        command.args(["stop", "--wait", "--mode", mode, "--timeout"]);
        command.arg(STOP_TIMEOUT.as_secs().to_string());
        match run(command, STOP_TIMEOUT * 2).await {
            Ok(_) => return Ok(()),
            // It ended before `pg_ctl` could signal it.
            Err(_) if look(pid, &cluster.data(), account).await? != Process::Ours => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(PostgresError::Former {
        dir: cluster.data(),
        pid,
        reason: last,
    })
}

/// The process that a pid file names.
pub(super) fn pid(path: &Path) -> Option<u32> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// State of this process id, for a server in `data`.
pub(super) async fn look(
    pid: u32,
    data: &Path,
    account: &Account,
) -> Result<Process, PostgresError> {
    if !Path::new("/proc/self/stat").exists() {
        return look_elsewhere(pid, account).await;
    }
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return Ok(Process::Gone);
    };
    // The format is `pid (name) state …`. The name may contain parentheses, so only the last one
    // counts.
    let state = stat.rsplit(')').next();
    Ok(match state.and_then(|rest| rest.trim().chars().next()) {
        None | Some('X') => Process::Gone,
        Some('Z') => Process::Zombie,
        Some(_) if at_work(data, account).await?.contains(&pid) => Process::Ours,
        Some(_) if is_privileged_server(pid, account) => Process::Ours,
        Some(_) => Process::Stranger,
    })
}

/// Detects a server that an earlier version of this program started with a capability. The server's
/// user has none any more and cannot see where it works. No other server of PostgreSQL has a
/// capability.
fn is_privileged_server(pid: u32, account: &Account) -> bool {
    let Some(uid) = account.other_uid() else {
        return false;
    };
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next())
    };
    let capable = field("CapPrm:").is_some_and(|set| set.bytes().any(|digit| digit != b'0'));
    field("Name:") == Some("postgres") && field("Uid:") == Some(&uid.to_string()) && capable
}

/// Replaces `/proc` where there is none: `ps` reports only state and name, so any server counts as
/// ours.
async fn look_elsewhere(pid: u32, account: &Account) -> Result<Process, PostgresError> {
    let mut command = account.command("ps");
    command
        .args(["-o", "stat=,comm=", "-p"])
        .arg(pid.to_string());
    match account.run(command).await {
        Ok(line) if line.starts_with('Z') => Ok(Process::Zombie),
        Ok(line) if line.contains("postgres") => Ok(Process::Ours),
        Ok(_) => Ok(Process::Stranger),
        Err(PostgresError::Program { .. }) => Ok(Process::Gone),
        Err(error) => Err(error),
    }
}

/// Processes that work in this directory, as every process of its server does. Empty without
/// `/proc`.
async fn at_work(data: &Path, account: &Account) -> Result<Vec<u32>, PostgresError> {
    if !account.is_other() {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let at_work = processes.filter(|process| {
            fs::read_link(process.path().join("cwd")).is_ok_and(|directory| directory == data)
        });
        let pids = at_work.filter_map(|process| process.file_name().to_str()?.parse().ok());
        return Ok(pids.collect());
    }
    // Root in a container may not inspect another user's processes, but that user may. `ls` fails
    // for the processes of others.
    let mut command = account.command("sh");
    command.args([
        "-c",
        "command -v ls && { ls -l /proc/[0-9]*/cwd 2>/dev/null; true; }",
    ]);
    let listing = account.run(command).await?;
    let ending = format!("/cwd -> {}", data.display());
    let lines = listing
        .lines()
        .filter_map(|line| line.strip_suffix(&ending));
    Ok(lines
        .filter_map(|line| line.rsplit('/').next()?.parse().ok())
        .collect())
}
