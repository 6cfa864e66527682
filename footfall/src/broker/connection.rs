//! Connections: requests come in, answers go out in the same order.
//!
//! The rule to keep: between two requests a connection ends as soon as the broker stops; a request that was read is
//! answered first, so that what was written is acknowledged.

use std::{io, time::Duration};

use bytes::Bytes;
use nisshi_broker::Error as ServiceError;
use nisshi_sans_io::{Body, Frame, Header};
use rama::{Context, Service as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    produce::{Answer, Request},
    services::Routes,
};

/// A request larger than this is not ours: librdkafka sends at most `message.max.bytes` (1 MB) and some.
const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;

/// Accepts connections and serves each in a task of its own, until the broker stops.
pub(super) async fn accept(
    listener: TcpListener,
    routes: Routes,
    connections: TaskTracker,
    stopping: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (routes, stopping) = (routes.clone(), stopping.clone());
                connections.spawn(async move {
                    // A client that goes away is everyday; a request that fails is answered by closing, as Kafka
                    // does, and the client says why it minds.
                    if let Err(error) = serve(stream, &routes, &stopping).await {
                        debug!(%peer, %error, "embedded broker: connection ended: {error}");
                    }
                });
            }
            Err(error) => {
                // Out of file descriptors and the like: without a pause this loop would take a whole core.
                warn!(%error, "embedded broker cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Answers one connection's requests in order, until the client goes or the broker stops.
async fn serve(
    mut stream: TcpStream,
    routes: &Routes,
    stopping: &CancellationToken,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let request = tokio::select! {
            biased;
            () = stopping.cancelled() => return Ok(()),
            request = read_request(&mut stream) => match request? {
                Some(request) => request,
                None => return Ok(()),
            },
        };
        match answer(routes, request.into()).await? {
            Answer::Frame(response) => stream.write_all(&response).await?,
            Answer::Silence => {}
            Answer::Close => return Ok(()),
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut size = [0; 4];
    match stream.read_exact(&mut size).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(i32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if length > MAX_REQUEST_BYTES {
        return Err(io::Error::other("a request that is too large for Kafka"));
    }
    let mut request = Vec::with_capacity(size.len() + length);
    request.extend_from_slice(&size);
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    if stream.take(limit).read_to_end(&mut request).await? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(request))
}

async fn answer(routes: &Routes, request: Bytes) -> io::Result<Answer> {
    match Request::read(&request).map_err(io::Error::other)? {
        Some(request) => {
            let answer = routes.produce.answer(request).await;
            answer.map_err(io::Error::other)
        }
        None => look_up(routes, request).await.map_err(io::Error::other),
    }
}

/// What the table has for a request.
async fn look_up(routes: &Routes, request: Bytes) -> Result<Answer, ServiceError> {
    let frame = Frame::request_from_bytes(request)?;
    let (api_key, api_version) = (frame.api_key()?, frame.api_version()?);
    let correlation_id = frame.correlation_id()?;
    let silent = matches!(&frame.body, Body::ProduceRequest(produce) if produce.acks == 0);
    let mut answer = routes.others.serve(Context::default(), frame).await?;
    if silent {
        return Ok(Answer::Silence);
    }
    if let Body::ApiVersionsResponse(versions) = &mut answer.body {
        // Tagged fields that say nothing: librdkafka before 2.1, which kcat of Debian 12 has, misreads any.
        versions.supported_features = None;
        versions.finalized_features_epoch = None;
        versions.finalized_features = None;
        versions.zk_migration_ready = None;
    }
    let header = Header::Response { correlation_id };
    let frame = Frame::response(header, answer.body, api_key, api_version)?;
    Ok(Answer::Frame(frame))
}
