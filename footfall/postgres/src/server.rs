//! The running server: starts it as a child process, waits until it answers, and stops it.
//!
//! The rule to keep: settings are on the command line, not in the cluster, so that every start has
//! the settings of this version of the program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use sqlx::{Connection as _, PgConnection};
use tokio::{
    process::Child,
    time::{Instant, sleep, timeout},
};
use tracing::{debug, warn};

use super::{
    PostgresError, cluster::Cluster, connect_options, former, memory::shared_buffers_mb,
    privilege::Account, programs::Binaries,
};

/// After a crash the server replays its log before it answers. That rarely takes more than seconds.
const START_TIMEOUT: Duration = Duration::from_mins(3);
/// Pause between two looks at a starting server.
const LOOK_AGAIN: Duration = Duration::from_millis(15);
/// How long the process may take to end after `pg_ctl` has reported its end.
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts to start, because another program may take the port between our choice and the
/// server's.
const PORT_ATTEMPTS: u32 = 4;
/// The line of the pid file that holds the server's state, counted from 0.
const STATUS_LINE: usize = 7;

/// Settings for a laptop that runs other programs as well. None of them trades durability.
const SETTINGS: [&str; 14] = [
    "listen_addresses=127.0.0.1",
    // In the cluster's own directory, which only its user can enter. The path is relative because an
    // absolute one may have at most 107 bytes.
    "unix_socket_directories=.",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "jit=off",
    "logging_collector=off",
    "log_destination=stderr",
    "log_line_prefix=%m [%p] ",
    "log_timezone=UTC",
    "timezone=UTC",
    "max_wal_size=2GB",
];

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    cluster: Cluster,
    binaries: Binaries,
    account: Account,
    port: u16,
    socket: Option<PathBuf>,
    child: Child,
    stopped: bool,
}

impl Server {
    /// Starts the server and returns when it answers.
    pub(super) async fn start(
        cluster: Cluster,
        binaries: Binaries,
        account: Account,
        password: &str,
    ) -> Result<Self, PostgresError> {
        let mut attempt = 1;
        loop {
            let port = cluster.choose_port()?;
            let before = cluster.log_length();
            let child = spawn(&cluster, &binaries, &account, port)?;
            let mut server = Self {
                cluster: cluster.clone(),
                binaries: binaries.clone(),
                account: account.clone(),
                port,
                socket: None,
                child,
                stopped: false,
            };
            let Err(reason) = server.wait_until_ready(password).await else {
                debug!("embedded PostgreSQL listens on 127.0.0.1:{port}");
                server.socket = server.usable_socket(password).await;
                return Ok(server);
            };
            let tail = cluster.log_tail(before);
            if let Err(error) = server.stop().await {
                warn!(%error, "embedded PostgreSQL: {error}");
            }
            // Otherwise the next attempt would begin with the same port.
            cluster.forget_port();
            // Only a port in use is worth another attempt.
            if attempt == PORT_ATTEMPTS || !tail.contains("could not bind") {
                let log = cluster.log();
                return Err(PostgresError::Start { reason, log, tail });
            }
            attempt += 1;
        }
    }

    /// Its port on the loopback address.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its Unix socket, if this process can use it.
    pub(super) fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// Tries the socket. Its path may be too long for a client, or this process may lack the right to
    /// enter the directory of the server's user.
    async fn usable_socket(&self, password: &str) -> Option<PathBuf> {
        let socket = self.cluster.data();
        let options = connect_options(self.port, password).socket(&socket);
        let answered = async { PgConnection::connect_with(&options).await?.close().await };
        let Err(error) = answered.await else {
            return Some(socket);
        };
        let error = runtime::database::message(&error);
        debug!("embedded PostgreSQL: its Unix socket cannot be used ({error}), so TCP is");
        None
    }

    /// Completes when the server ends unexpectedly.
    pub(super) async fn ended(&mut self) -> PostgresError {
        let reason = match self.child.wait().await {
            Ok(status) => format!("it ended with {status}"),
            Err(error) => format!("it cannot be watched: {error}"),
        };
        PostgresError::Ended {
            reason,
            log: self.cluster.log(),
        }
    }

    /// Stops the server and returns when it has ended.
    pub(super) async fn stop(mut self) -> Result<(), PostgresError> {
        self.stopped = true;
        let Some(pid) = self.child.id() else {
            // It ended before, and its end was already waited for.
            return Ok(());
        };
        let told = former::stop(&self.cluster, &self.binaries, &self.account, pid).await;
        self.end().await;
        told
    }

    /// Waits for the end of the process, and kills it if it takes too long.
    async fn end(&mut self) {
        self.stopped = true;
        if self.child.id().is_none() {
            return;
        }
        if timeout(END_TIMEOUT, self.child.wait()).await.is_err() {
            warn!(
                "the embedded PostgreSQL did not end in time and is killed; it recovers at its next start"
            );
            if let Err(error) = self.child.kill().await {
                warn!(%error, "the embedded PostgreSQL cannot be killed: {error}");
            }
        }
    }

    /// Waits until the server reports that it is ready, and accepts our password.
    async fn wait_until_ready(&mut self, password: &str) -> Result<(), String> {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.says_ready() {
            match self.child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => return Err(format!("it ended with {status}")),
                Err(error) => return Err(format!("it cannot be watched: {error}")),
            }
            if Instant::now() >= deadline {
                self.kill().await;
                return Err(format!("it is not ready after {START_TIMEOUT:?}"));
            }
            sleep(LOOK_AGAIN).await;
        }
        let answered = async {
            let options = connect_options(self.port, password);
            let connection = PgConnection::connect_with(&options).await?;
            connection.close().await
        };
        answered.await.map_err(|error| {
            let error = runtime::database::message(&error);
            format!("the login with the password in its directory failed: {error}")
        })
    }

    async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            warn!(%error, "the embedded PostgreSQL cannot be killed: {error}");
        }
    }

    fn says_ready(&self) -> bool {
        let Ok(text) = fs::read_to_string(self.cluster.pid_file()) else {
            return false;
        };
        let mut lines = text.lines();
        // The file may still be that of an earlier server.
        let pid = lines.next().and_then(|line| line.trim().parse().ok());
        let status = lines.nth(STATUS_LINE - 1);
        pid == self.child.id() && status.is_some_and(|status| status.trim() == "ready")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.stopped || self.child.id().is_none() {
            return;
        }
        let pg_ctl = self.binaries.program("pg_ctl");
        let told = self
            .account
            .command_on(&self.cluster.data(), pg_ctl)
            .map_err(|error| error.to_string())
            .and_then(|mut command| {
                // `pg_ctl` returns when it has sent the signal, so a drop does not wait for the
                // shutdown.
                command.args(["stop", "--no-wait", "--mode", "fast"]);
                let command = command.as_std_mut();
                command.stdout(Stdio::null()).stderr(Stdio::null());
                command.status().map_err(|error| error.to_string())
            });
        if let Err(error) = told {
            warn!(%error, "the embedded PostgreSQL cannot be asked to stop: {error}");
        }
    }
}

fn spawn(
    cluster: &Cluster,
    binaries: &Binaries,
    account: &Account,
    port: u16,
) -> Result<Child, PostgresError> {
    let log = cluster.open_log()?;
    let log_too = log
        .try_clone()
        .map_err(PostgresError::file(cluster.log()))?;
    let program = binaries.program("postgres");
    let mut command = account.command_on(&cluster.data(), &program)?;
    command.arg("-p").arg(port.to_string());
    let memory = format!("shared_buffers={}MB", shared_buffers_mb());
    for setting in SETTINGS.into_iter().chain([memory.as_str()]) {
        command.arg("-c").arg(setting);
    }
    command.stdout(log).stderr(log_too);
    command.spawn().map_err(PostgresError::file(program))
}
