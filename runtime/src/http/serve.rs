//! A listener: accepts connections, limits their number, answers requests in flight at a stop.

use super::{
    HEAD_TIMEOUT, MAX_CONNECTIONS, Options, STOP_TIMEOUT, Surfaces, WRITE_TIMEOUT, connection,
    connections::{Connections, Full, Order, Place},
    finish::{self, Finisher},
    head,
    progress::Patience,
};
use crate::{Context, Lifecycle, open_files};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use socket2::SockRef;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tracing::{info, warn};

/// How often a full listener looks for a free place.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Longest pause after a failed accept. Without it, a listener that has run out of files would
/// spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);
/// Bytes that the kernel holds for a client that has not read them yet. By default this grows to 4
/// MB for each client that does not read. Half a second's worth for a fast client far away.
const SEND_BUFFER_BYTES: usize = 256 * 1024;

/// Binds an address, with an error that says what to do.
///
/// # Errors
/// When the address is taken, not allowed or invalid.
pub async fn bind(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => "; another program uses it, so choose another address",
            io::ErrorKind::PermissionDenied => {
                "; ports below 1024 need a privilege, so choose a higher one"
            }
            _ => "; give <address>:<port>, for example 127.0.0.1:8080",
        };
        format!("cannot listen on {address}: {error}{hint}")
    })
}

/// Serves the routes until the lifecycle stops servers, then answers the requests in flight.
/// Answers are written in the dialects of `surfaces`.
pub fn spawn(
    listener: TcpListener,
    router: Router,
    surfaces: Surfaces,
    options: Options,
    context: &Context,
) {
    let finisher = Finisher {
        clock: Arc::clone(&context.clock),
        ids: Arc::clone(&context.ids),
        surfaces,
    };
    let router = router.layer(middleware::from_fn_with_state(finisher, check_and_finish));
    let lifecycle = context.lifecycle.clone();
    // Connections must leave files for databases and the log, which would fail under load.
    let most = open_files::room_for_connections(MAX_CONNECTIONS);
    if most < MAX_CONNECTIONS {
        info!("serving at most {most} connections, because of the limit of open files");
    }
    let server = Server {
        router,
        patience: Patience {
            head: HEAD_TIMEOUT,
            idle: options.idle_timeout,
            write: WRITE_TIMEOUT,
        },
        connections: Connections::new(most, options.connections_per_address),
        options,
        lifecycle,
    };
    context
        .lifecycle
        .spawn_server("http", server.serve(listener));
}

/// The checks around every route. One layer, because each layer boxes the request's future once
/// more.
async fn check_and_finish(finisher: State<Finisher>, request: Request, next: Next) -> Response {
    finish::around(finisher, request, |request| async {
        match head::check(&request) {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        }
    })
    .await
}

struct Server {
    router: Router,
    patience: Patience,
    connections: Arc<Connections>,
    options: Options,
    lifecycle: Lifecycle,
}

impl Server {
    async fn serve(self, listener: TcpListener) -> io::Result<()> {
        tokio::select! {
            () = self.lifecycle.servers_stopping() => {}
            () = self.accept(&listener) => {}
        }
        // New clients are refused at once and can try another instance, instead of waiting in the
        // queue.
        drop(listener);
        let stopping = self.connections.end(Order::Stop);
        if tokio::time::timeout(STOP_TIMEOUT, stopping).await.is_err() {
            let left = self.connections.count();
            warn!("closing {left} connections whose clients have not read their answers");
            self.connections.end(Order::Leave).await;
        }
        Ok(())
    }

    /// Accepts connections for ever.
    async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(place) = self.place(peer.ip()).await {
                        self.spawn(stream, peer, place);
                    }
                }
                Err(error) => {
                    // Out of file descriptors, or a peer that has left already: neither ends the
                    // service.
                    warn!("cannot accept a connection: {error}");
                    // A connection that leaves frees a file for the next one.
                    self.connections.make_room();
                    let _ = tokio::time::timeout(ACCEPT_AGAIN, self.connections.left()).await;
                }
            }
        }
    }

    /// A place for a connection of that peer, as soon as one is free. `None` when its address has
    /// too many.
    async fn place(&self, peer: IpAddr) -> Option<Place> {
        let address = self.options.counted(peer);
        loop {
            match self.connections.enter(address) {
                Ok(place) => return Some(place),
                Err(Full::Address) => {
                    metrics::counter!("http_connections_dropped_total", "reason" => "address")
                        .increment(1);
                    return None;
                }
                // The other connections wait in the kernel's queue meanwhile, in order.
                Err(Full::All) => {
                    let _ = tokio::time::timeout(LOOK_AGAIN, self.connections.left()).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        // Answers are small; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
        let (router, patience) = (self.router.clone(), self.patience);
        metrics::gauge!("http_connections").increment(1);
        tokio::spawn(async move {
            connection::serve(stream, peer, router, &place.client, patience).await;
            metrics::gauge!("http_connections").decrement(1);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Time after which a test counts as broken; a test that passes never waits this long.
    const LIMIT: Duration = Duration::from_secs(8);

    #[tokio::test]
    async fn idle_clients_never_keep_another_client_out() {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lifecycle = Lifecycle::default();
        let server = Server {
            router: Router::new().route("/health", get(|| async { "alive" })),
            patience: Patience::of(Duration::from_hours(1)),
            connections: Connections::new(3, 1),
            options: Options::default(),
            lifecycle: lifecycle.clone(),
        };
        lifecycle.spawn_server("http", server.serve(listener));
        let mut silent = Vec::new();
        for _ in 0..3 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = b"GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        client.write_all(request).await.unwrap();
        let mut answer = String::new();
        let reading = tokio::time::timeout(LIMIT, client.read_to_string(&mut answer));
        reading.await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // The oldest connection had to leave.
        let mut end = [0];
        let closed = tokio::time::timeout(LIMIT, silent[0].read(&mut end));
        assert_eq!(closed.await.unwrap().unwrap(), 0);
        tokio::time::timeout(LIMIT, lifecycle.finish())
            .await
            .unwrap()
            .unwrap();
    }
}
