//! Serves one connection: hyper's loop, the client's deadlines, the listener's orders.

use super::{
    MAX_HEAD_BYTES, Peer,
    connections::{Client, Order},
    progress::{Observed, Patience, Stream},
    rest::{self, Answer},
};
use axum::{Router, extract::Request, http::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};
use tower::Service;
use tracing::debug;

/// How long the client of a request in flight may pause once the program stops.
const PATIENCE_AT_STOP: Patience = Patience::of(Duration::from_secs(2));

/// Serves the requests of one connection until its client or its listener ends it.
pub(super) async fn serve<S: Stream>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    client: &Client,
    patience: Patience,
) {
    let stream = Observed::new(stream, client.progress.clone());
    let service = service_fn(|request| answer(request, peer, router.clone(), client));
    let connection = http1::Builder::new()
        // hyper's timeout would also apply while the connection idles.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let (mut order, mut patience) = (Order::Serve, patience);
    let dropped = loop {
        tokio::select! {
            // The end comes first, so that a connection that has just ended does not count as
            // dropped.
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    debug!("a connection ended early: {error}");
                }
                return;
            }
            wait = client.progress.overdue(patience) => break wait.name(),
            given = client.ordered_beyond(order) => match given {
                Order::Leave => break "room",
                given => {
                    (order, patience) = (given, PATIENCE_AT_STOP);
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    };
    metrics::counter!("http_connections_dropped_total", "reason" => dropped).increment(1);
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    mut router: Router,
    client: &Client,
) -> Result<Response<Answer>, Infallible> {
    let in_flight = client.progress.begin();
    let (mut head, body) = request.into_parts();
    head.extensions.insert(Peer(peer));
    let (body, lender) = rest::lend(&head, body);
    // A router is always ready, so nothing polls its readiness.
    let answer = router.call(Request::from_parts(head, body)).await?;
    Ok(lender.conclude(answer, in_flight))
}

#[cfg(test)]
mod tests;
