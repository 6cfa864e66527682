//! A Kafka-protocol broker inside this process, for `footfall up` without a cluster.
//!
//! Owns the listener, the connections and their end. Storage, wire format and most requests are nisshi's
//! (pinned: the file layout is read and written here too); fetch, produce and group membership are ours, see their files.
//! The rule to keep: **nothing here ever deletes a record, but [`EmbeddedBroker::compact`] of the one topic that it is
//! given**. nisshi's own `maintain` is therefore never called: with `cleanup.policy=delete` it takes a `retention.ms` of -1 for
//! "everything is too old" and would empty the events topic, which is the truth.

mod connection;
mod fetch;
mod groups;
mod location;
mod log;
mod produce;
mod refused;
mod services;
mod stored;
mod tails;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use nisshi_storage::{ArcDynStorage, BrokerRegistrationRequest, Storage as _, StorageContainer};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};
use url::Url;
use uuid::Uuid;

use self::{location::Location, log::Log, tails::Tails};

/// The cluster's name in the file and on the wire; a file made under another name would show no topics.
const CLUSTER: &str = "footfall";
/// The only node. Kafka clients print it, nothing depends on it.
const NODE_ID: i32 = 1;
/// How long `stop` waits for requests that are being answered; each is milliseconds of `SQLite`.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the embedded broker did not start, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The port is taken or may not be used.
    #[error(
        "the embedded broker cannot listen on 127.0.0.1:{port}: {source}; choose another port, or set KAFKA_BROKERS to use a cluster"
    )]
    Listen {
        /// The port asked for, 0 for any free one.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The data directory cannot be made or written.
    #[error(
        "the embedded broker cannot use the directory {}: {source}; choose another with --data-dir", dir.display()
    )]
    Directory {
        /// The directory asked for.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log's file cannot be opened or read.
    #[error(
        "the embedded broker cannot open its log in {}: {reason}; is another program using it, is the disk full or failing?", dir.display()
    )]
    Storage {
        /// The directory asked for.
        dir: PathBuf,
        /// What the storage said.
        reason: String,
    },
}

/// A Kafka-protocol broker inside this process, storing in `SQLite` in `dir`.
///
/// An acknowledged record survives the death of the process; `SQLite` runs with `synchronous=NORMAL`, so a loss of
/// power may take the last ones. Dropping it ends everything at once; [`EmbeddedBroker::stop`] does it in order.
#[derive(Debug)]
pub struct EmbeddedBroker {
    dir: PathBuf,
    brokers: String,
    stopping: CancellationToken,
    connections: TaskTracker,
    acceptor: JoinHandle<()>,
    log: Arc<Log>,
    // After everything that uses the path: the alias of an unusual path lives as long as the broker.
    _location: Location,
}

impl EmbeddedBroker {
    /// A running broker: listens on `127.0.0.1:<port>`, or on a free port, and advertises the same.
    pub async fn start(dir: &Path, port: Option<u16>) -> Result<Self, BrokerError> {
        let storage_error = |reason: String| BrokerError::Storage {
            dir: dir.to_owned(),
            reason,
        };
        let location = Location::of(dir).map_err(|source| BrokerError::Directory {
            dir: dir.to_owned(),
            source,
        })?;
        let port = port.unwrap_or(0);
        // Bound before anything else, so that the real port can be advertised.
        let (listener, address) = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        }
        .await
        .map_err(|source| BrokerError::Listen { port, source })?;

        let stopping = CancellationToken::new();
        let storage = open_storage(&location, address, stopping.clone())
            .await
            .map_err(|error| storage_error(format!("{error:?}")))?;
        let log = Log::open(&location.file())
            .await
            .map_err(|error| storage_error(error.to_string()))?;
        let log = Arc::new(log);
        let tails = Arc::new(Tails::new(log.clone()));
        let routes = services::routes(&storage, &log, &tails, &stopping)
            .map_err(|error| storage_error(format!("{error:?}")))?;

        let connections = TaskTracker::new();
        let acceptor = tokio::spawn(connection::accept(
            listener,
            routes,
            connections.clone(),
            stopping.clone(),
        ));
        debug!(kafka.brokers = %address, "embedded broker listens on {address}");
        Ok(Self {
            dir: dir.to_owned(),
            brokers: address.to_string(),
            stopping,
            connections,
            acceptor,
            log,
            _location: location,
        })
    }

    /// The address for `bootstrap.servers`, `"127.0.0.1:41234"`.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Removes superseded records of a topic whose policy is `compact`, and says how many. Only for topics whose settings
    /// have been checked: nothing brings the records back.
    pub async fn compact(&self, topic: &str) -> Result<u64, BrokerError> {
        let compacted = self.log.compact(topic).await;
        compacted.map_err(|error| BrokerError::Storage {
            dir: self.dir.clone(),
            reason: error.to_string(),
        })
    }

    /// Ends it: no new connections, running requests answered, waiting fetches sent home, the file flushed to disk.
    ///
    /// Returns after at most a few seconds; what is unanswered by then is unacknowledged, and clients send it again.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        self.connections.close();
        let ended = async {
            if let Err(error) = (&mut self.acceptor).await {
                debug!(%error, "the embedded broker's listener ended badly");
            }
            self.connections.wait().await;
        };
        if timeout(STOP_TIMEOUT, ended).await.is_err() {
            warn!("the embedded broker stopped before every request was answered");
        }
        if let Err(error) = self.log.flush().await {
            warn!(%error, "the embedded broker could not flush its log: {error}");
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

async fn open_storage(
    location: &Location,
    address: SocketAddr,
    stopping: CancellationToken,
) -> Result<ArcDynStorage, nisshi_storage::Error> {
    let storage = StorageContainer::builder()
        .cluster_id(CLUSTER)
        .node_id(NODE_ID)
        .advertised_listener(Url::parse(&format!("tcp://{address}"))?)
        .storage(location.url()?)
        .cancellation(stopping)
        .silent(true)
        .build()
        .await
        .map(|storage| Arc::new(storage) as ArcDynStorage)?;
    storage
        .register_broker(BrokerRegistrationRequest {
            broker_id: NODE_ID,
            cluster_id: CLUSTER.to_owned(),
            incarnation_id: Uuid::nil(),
            rack: None,
        })
        .await?;
    Ok(storage)
}
