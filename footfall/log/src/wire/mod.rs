//! Connections, frames, the login, and the order of responses.
//!
//! The rules to keep: measure everything that a client claims before using it; bound memory, connections and waiting
//! times for every possible input.

pub(crate) mod apis;
mod connection;
mod entrance;
pub(crate) mod frame;
mod sasl;
mod shape;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use self::entrance::Entrance;
use crate::{Credentials, requests::Node};

/// Memory for the large requests of all connections, in bytes. A request of the largest size always fits.
const REQUEST_MEMORY: usize = 256 * 1024 * 1024;

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) node: Arc<Node>,
    pub(crate) credentials: Credentials,
    request_memory: Arc<Semaphore>,
    entrance: Arc<Entrance>,
    /// Stops reading requests. Received ones are still answered.
    stopping: CancellationToken,
    /// Closes all connections immediately.
    ending: CancellationToken,
}

impl Service {
    /// Serves `node` to clients with the credentials until the node's `stopping` token is cancelled. `ending` closes
    /// the remaining connections.
    pub(crate) fn new(
        node: Arc<Node>,
        credentials: Credentials,
        ending: CancellationToken,
    ) -> Self {
        // Create the counters at the start, so that alerts on their growth see the first failure.
        for name in [
            "embedded_log_authentication_failures_total",
            "embedded_log_connections_refused_total",
            "embedded_log_requests_refused_total",
        ] {
            metrics::counter!(name).increment(0);
        }
        metrics::gauge!("embedded_log_connections").set(0.0);
        Self {
            stopping: node.stopping.clone(),
            node,
            credentials,
            request_memory: Arc::new(Semaphore::new(REQUEST_MEMORY)),
            entrance: Entrance::new(),
            ending,
        }
    }
}

/// Accepts connections and serves each in its own task, until the broker stops.
pub(crate) async fn accept(listener: TcpListener, service: Arc<Service>, connections: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = service.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let service = Arc::clone(&service);
                let place = service.entrance.enter();
                connections.spawn(async move {
                    let ended = tokio::select! {
                        ended = connection::serve(stream, &service, place) => ended,
                        () = service.ending.cancelled() => return,
                    };
                    // Only a debug message: disconnects are normal, and like Kafka a connection is closed after a bad
                    // request.
                    if let Err(error) = ended {
                        debug!(%peer, %error, "embedded log: connection ended: {error}");
                    }
                });
            }
            Err(error) => {
                // For example out of file descriptors. Without a pause this loop would use a whole core.
                warn!(%error, "the embedded log cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
