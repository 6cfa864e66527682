//! The wire: connections, frames, the password, and the order of answers.
//!
//! The rules to keep: nothing a peer claims is believed before it is measured; memory, connections and waiting times
//! are bounded whatever a client sends.

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

/// Bytes of large requests in work, over all connections. One request of the largest size always fits.
const REQUEST_MEMORY: usize = 256 * 1024 * 1024;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) node: Arc<Node>,
    pub(crate) credentials: Credentials,
    request_memory: Arc<Semaphore>,
    entrance: Arc<Entrance>,
    /// No new requests; those that were read are answered.
    stopping: CancellationToken,
    /// Connections end at once.
    ending: CancellationToken,
}

impl Service {
    /// Serves from `node` whoever has the credentials, until `stopping`; connections end at the latest with `ending`.
    pub(crate) fn new(
        node: Arc<Node>,
        credentials: Credentials,
        ending: CancellationToken,
    ) -> Self {
        // They exist from the start, so that alerts on their growth see the first failure.
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

/// Accepts connections and serves each in a task of its own, until the broker stops.
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
                    // A client that goes away is everyday; a request without an answer is closed, as Kafka does.
                    if let Err(error) = ended {
                        debug!(%peer, %error, "embedded log: connection ended: {error}");
                    }
                });
            }
            Err(error) => {
                // Out of file descriptors and the like: without a pause this loop would take a whole core.
                warn!(%error, "the embedded log cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
