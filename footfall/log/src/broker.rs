//! The broker: opens the store, listens on loopback, and shuts down in order.
//!
//! The rule to keep: accept no connection before the store and the groups are ready.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

use crate::{
    Durability, Progress, batch,
    groups::Groups,
    requests::Node,
    store::{Store, StoreError, StoreOptions, former},
    wire::{self, Service},
};

/// How long [`Broker::stop`] waits for requests in progress.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// The limit on bytes of records in unsent responses, over all connections.
const ANSWER_MEMORY: usize = 256 * 1024 * 1024;
/// The largest batch that a topic's settings can allow. It fits into one request.
const MAX_BATCH_BYTES: usize = 64 * 1024 * 1024;

/// The user name and password of clients.
#[derive(Clone)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &"[redacted]")
            .finish()
    }
}

/// How a broker runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on loopback; `None` for any free one.
    pub port: Option<u16>,
    /// The user name and password that clients must give.
    pub credentials: Credentials,
    /// Topics that no client may delete or change.
    pub protected_topics: Vec<String>,
    /// Which failures an acknowledged record survives.
    pub durability: Durability,
    /// Receives the progress of migrating a log of the former format.
    pub on_migration: Option<MigrationReport>,
}

/// A function that receives the progress of a migration. Another thread calls it.
#[derive(Clone)]
pub struct MigrationReport(Arc<dyn Fn(Progress) + Send + Sync>);

impl MigrationReport {
    /// Calls this function.
    pub fn new(report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }
}

impl fmt::Debug for MigrationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MigrationReport")
    }
}

impl Options {
    /// Any free port, no protected topics, and records on disk before they are acknowledged.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            port: None,
            credentials,
            protected_topics: Vec::new(),
            durability: Durability::default(),
            on_migration: None,
        }
    }
}

/// Why the broker did not start or an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The port is in use or not allowed.
    #[error("the embedded log cannot listen on 127.0.0.1:{port}: {source}; choose another port")]
    Listen {
        /// The requested port, 0 for any free one.
        port: u16,
        /// The system's error.
        source: io::Error,
    },
    /// The store cannot be opened or read.
    #[error("the embedded log in {} cannot be used: {reason}", dir.display())]
    Storage {
        /// The requested directory.
        dir: PathBuf,
        /// The store's error.
        reason: String,
    },
}

impl BrokerError {
    pub(crate) fn of_store(dir: &Path, error: &StoreError) -> Self {
        Self::Storage {
            dir: dir.to_owned(),
            reason: error.to_string(),
        }
    }
}

/// A running broker.
///
/// Dropping it ends everything at once; [`Broker::stop`] shuts down in order.
#[derive(Debug)]
pub struct Broker {
    dir: PathBuf,
    bootstrap_servers: String,
    store: Store,
    stopping: CancellationToken,
    ending: CancellationToken,
    tasks: TaskTracker,
    acceptor: JoinHandle<()>,
}

impl Broker {
    /// Starts a broker that stores its records in `dir`, and listens on and advertises `127.0.0.1`.
    ///
    /// # Errors
    /// If the port or the directory cannot be used.
    pub async fn start(dir: &Path, options: Options) -> Result<Self, BrokerError> {
        let port = options.port.unwrap_or(0);
        // Bind before the store is opened: a port in use is reported before anything is created or migrated.
        let listen = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let listening = listen.await;
        let (listener, address) =
            listening.map_err(|source| BrokerError::Listen { port, source })?;
        let store = open(dir, options.durability, options.on_migration).await?;
        let stopping = CancellationToken::new();
        let ending = CancellationToken::new();
        let groups = Arc::new(Groups::new(stopping.clone()));
        let node = Arc::new(Node {
            protected: options.protected_topics,
            ..node(store.clone(), address, Arc::clone(&groups), &stopping)
        });
        let service = Arc::new(Service::new(node, options.credentials, ending.clone()));
        let tasks = TaskTracker::new();
        tasks.spawn(groups.run_clock());
        let acceptor = tokio::spawn(wire::accept(listener, service, tasks.clone()));
        debug!(kafka.brokers = %address, "the embedded log listens on {address}");
        Ok(Self {
            dir: dir.to_owned(),
            bootstrap_servers: address.to_string(),
            store,
            stopping,
            ending,
            tasks,
            acceptor,
        })
    }

    /// The address for `bootstrap.servers`, `"127.0.0.1:41234"`.
    #[must_use]
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Removes superseded records of a topic whose `cleanup.policy` is exactly `compact`, and returns their number.
    /// Call it only for topics whose settings you have checked: the removal cannot be undone.
    ///
    /// # Errors
    /// If the topic does not exist, it has another policy, or the file cannot be written.
    pub async fn compact(&self, topic: &str) -> Result<u64, BrokerError> {
        let compacted = self.store.compact(topic).await;
        compacted.map_err(|error| BrokerError::of_store(&self.dir, &error))
    }

    /// Stops the broker in order: refuses new connections, answers received requests, ends waiting
    /// fetches, and moves everything into the main file.
    ///
    /// Returns after a few seconds at most, plus the time the disk needs. Requests without a response by then are
    /// unacknowledged, and clients send them again.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        self.tasks.close();
        let ended = async {
            if let Err(error) = (&mut self.acceptor).await {
                debug!(%error, "the embedded log's listener failed: {error}");
            }
            self.tasks.wait().await;
        };
        if timeout(STOP_TIMEOUT, ended).await.is_err() {
            warn!("the embedded log stopped before it had answered every request");
            self.ending.cancel();
        }
        self.store.clone().close().await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.ending.cancel();
    }
}

/// Builds the state that all requests share.
pub(crate) fn node(
    store: Store,
    address: SocketAddr,
    groups: Arc<Groups>,
    stopping: &CancellationToken,
) -> Node {
    Node {
        cluster_id: store.cluster_id().to_owned(),
        store,
        groups,
        address,
        protected: Vec::new(),
        batch_limits: batch::Limits {
            max_batch_bytes: MAX_BATCH_BYTES,
            ..batch::Limits::default()
        },
        answer_memory: Arc::new(Semaphore::new(ANSWER_MEMORY)),
        stopping: stopping.clone(),
    }
}

/// Opens the store, after migrating a log of the former format if one exists.
async fn open(
    dir: &Path,
    durability: Durability,
    report: Option<MigrationReport>,
) -> Result<Store, BrokerError> {
    let place = dir.to_owned();
    let options = StoreOptions {
        durability,
        ..StoreOptions::default()
    };
    let opening = tokio::task::spawn_blocking(move || {
        if former::is_former(&place) {
            let migrated = former::migrate(&place, &mut |progress| {
                if let Some(MigrationReport(report)) = &report {
                    report(progress);
                }
            })?;
            info!(
                "the embedded log migrated {} records of {} topics from its former format; {} is no longer needed",
                migrated.records,
                migrated.topics,
                migrated.kept.display()
            );
        }
        Store::open(&place, &options)
    });
    match opening.await {
        Ok(opened) => opened.map_err(|error| BrokerError::of_store(dir, &error)),
        Err(error) => Err(BrokerError::Storage {
            dir: dir.to_owned(),
            reason: error.to_string(),
        }),
    }
}
