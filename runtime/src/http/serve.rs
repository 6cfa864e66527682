//! The connection loop: accepts, bounds, and at a stop answers what is in flight.

use super::{HEADER_TIMEOUT, MAX_CONNECTIONS, Peer, finish};
use crate::{Context, Lifecycle};
use axum::{Router, extract::Request, middleware};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;
use tracing::{debug, warn};

/// Binds an address, with an error that says what to do.
///
/// # Errors
/// When the address is taken or not ours.
pub async fn bind(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => "; another program has it, choose another address",
            io::ErrorKind::PermissionDenied => {
                "; ports below 1024 need a privilege, choose a higher one"
            }
            _ => "; give <address>:<port>, for example 127.0.0.1:8080",
        };
        format!("cannot listen on {address}: {error}{hint}")
    })
}

/// Serves the routes until the lifecycle stops servers, then answers what is in flight.
pub fn spawn(listener: TcpListener, router: Router, context: &Context) {
    let finisher = finish::Finisher {
        clock: Arc::clone(&context.clock),
        ids: Arc::clone(&context.ids),
    };
    let router = router.layer(middleware::from_fn_with_state(finisher, finish::finish));
    let lifecycle = context.lifecycle.clone();
    context
        .lifecycle
        .spawn_server("http", serve(listener, router, lifecycle));
}

async fn serve(listener: TcpListener, router: Router, lifecycle: Lifecycle) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let slot = tokio::select! {
            () = lifecycle.servers_stopping() => break,
            slot = Arc::clone(&slots).acquire_owned() => slot.map_err(io::Error::other)?,
        };
        let accepted = tokio::select! {
            () = lifecycle.servers_stopping() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                // Out of file descriptors, or a peer that left at once: neither ends the service.
                warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, peer, router.clone()));
        metrics::gauge!("http_connections").increment(1);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!("a connection ended early: {error}");
            }
            metrics::gauge!("http_connections").decrement(1);
            drop(slot);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> hyper::server::conn::http1::Connection<
    TokioIo<TcpStream>,
    TowerToHyperService<
        impl tower::Service<
            Request<Incoming>,
            Response = axum::response::Response,
            Error = std::convert::Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + 'static,
    >,
> {
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request.map(axum::body::Body::new)
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
}
