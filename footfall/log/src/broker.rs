//! The broker: opens the store, listens on loopback, and stops in order.
//!
//! The rule to keep: nothing is listened to before everything that answers is there.

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

/// How long [`Broker::stop`] waits for requests that are being answered.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of records in answers under way, over all connections.
const ANSWER_MEMORY: usize = 256 * 1024 * 1024;
/// The largest batch that any topic's settings can allow. One request holds it.
const MAX_BATCH_BYTES: usize = 64 * 1024 * 1024;

/// The name and password that clients give.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
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
    /// The port on loopback, or any free one.
    pub port: Option<u16>,
    /// What clients must know.
    pub credentials: Credentials,
    /// Topics that no client may delete or change.
    pub protected_topics: Vec<String>,
    /// What an acknowledged record survives.
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
    /// Any free port, no protected topics, records on disk before they are acknowledged.
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

/// Why the broker did not start, or could not do something, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The port is taken or may not be used.
    #[error("the embedded log cannot listen on 127.0.0.1:{port}: {source}; choose another port")]
    Listen {
        /// The port asked for, 0 for any free one.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The store cannot be opened or read.
    #[error("the embedded log in {} cannot be used: {reason}", dir.display())]
    Storage {
        /// The directory asked for.
        dir: PathBuf,
        /// What the store said.
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
/// Dropping it ends everything at once; [`Broker::stop`] does it in order.
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
    /// A running broker that stores in `dir`, listens on `127.0.0.1`, and advertises the same.
    ///
    /// # Errors
    /// If the port or the directory cannot be used.
    pub async fn start(dir: &Path, options: Options) -> Result<Self, BrokerError> {
        let port = options.port.unwrap_or(0);
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

    /// Removes superseded records of a topic whose `cleanup.policy` is exactly `compact`, and says how many. Only for
    /// topics whose settings were checked: nothing brings the records back.
    ///
    /// # Errors
    /// If there is no such topic, it has another policy, or the file cannot be written.
    pub async fn compact(&self, topic: &str) -> Result<u64, BrokerError> {
        let compacted = self.store.compact(topic).await;
        compacted.map_err(|error| BrokerError::of_store(&self.dir, &error))
    }

    /// Ends it: no new connections, received requests are answered, waiting fetches end, and everything is in the
    /// main file.
    ///
    /// Returns after some seconds at most, plus what the disk takes; what is unanswered by then is unacknowledged, and
    /// clients send it again.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        self.tasks.close();
        let ended = async {
            if let Err(error) = (&mut self.acceptor).await {
                debug!(%error, "the embedded log's listener ended badly");
            }
            self.tasks.wait().await;
        };
        if timeout(STOP_TIMEOUT, ended).await.is_err() {
            warn!("the embedded log stopped before every request was answered");
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

/// What requests are answered from.
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

/// Opens the store. Migrates a log of the former format first, if there is one.
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
                "the embedded log took over {} records of {} topics from its former format; {} is not needed any more",
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
