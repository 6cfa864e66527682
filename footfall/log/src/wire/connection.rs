//! Serves one connection: first the login, then requests, with responses in the same order.
//!
//! Like Kafka, a connection processes one request at a time. Produce requests are the exception: they start without
//! waiting for each other, so that their appends reach the writer in order and share a commit.
//! The rule to keep: when the broker stops, answer every received request before closing the connection.

use std::{
    collections::VecDeque, future::poll_fn, io, pin::Pin, sync::Arc, task::Poll, time::Duration,
};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::ApiKey;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until, timeout},
};
use tracing::info;

use super::{
    Service, apis,
    entrance::Place,
    frame::{self, Frame, FrameError, FrameReader, Head},
    sasl::{self, Login, Step},
};
use crate::requests::{self, Answer, Asked, Failure, api_versions};

/// Maximum size of a request, like Kafka's `socket.request.max.bytes`.
const MAX_FRAME_BYTES: usize = 100 * 1024 * 1024;
/// Maximum number of concurrent produce requests. librdkafka and Java's producer send up to five.
const MAX_PIPELINED: usize = 16;
/// The login must be complete, including its responses, after this time.
const LOGIN_DEADLINE: Duration = Duration::from_secs(10);
/// The delay before a failed login is answered, like Kafka's `connection.failed.authentication.delay.ms`.
const FAILURE_PAUSE: Duration = Duration::from_millis(100);
/// A connection without requests is closed after this time, like Kafka's `connections.max.idle.ms`.
const MAX_IDLE: Duration = Duration::from_mins(10);
/// A connection is closed when the client has not read a response after this time, plus a second for each megabyte.
const MAX_STALL: Duration = Duration::from_mins(1);
/// Responses up to this total size are sent together.
const JOINED_BYTES: usize = 64 * 1024;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Failure(#[from] Failure),
    /// An unsupported request or version.
    #[error("request {0} version {1} is not supported")]
    NotOffered(i16, i16),
    #[error("the client does not read its responses")]
    Stalled,
}

type Working = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// A request in progress.
struct Slot {
    work: Work,
    is_produce: bool,
    /// Memory for the request's bytes, which hold its records until they are written.
    _permit: Option<OwnedSemaphorePermit>,
}

enum Work {
    Waiting(Working),
    Done(Result<Answer, Failure>),
    Taken,
}

impl Slot {
    /// Polls for the response.
    fn poll(&mut self, context: &mut std::task::Context<'_>) -> Poll<Result<Answer, Failure>> {
        match std::mem::replace(&mut self.work, Work::Taken) {
            Work::Done(answer) => Poll::Ready(answer),
            Work::Taken => Poll::Pending,
            Work::Waiting(mut working) => {
                let polled = working.as_mut().poll(context);
                if polled.is_pending() {
                    self.work = Work::Waiting(working);
                }
                polled
            }
        }
    }
}

/// Serves a connection until the client disconnects or misbehaves, or the broker stops.
pub(super) async fn serve(
    mut stream: TcpStream,
    service: &Service,
    mut place: Place,
) -> Result<(), Ended> {
    stream.set_nodelay(true)?;
    let mut reader = FrameReader::new(Arc::clone(&service.request_memory));
    // The deadline covers the sending of responses too: a client that reads none of them must not keep the connection.
    let lost = place.lost.clone();
    let login = log_in(&mut stream, &mut reader, service, &mut place);
    let entered = tokio::select! {
        () = lost.cancelled() => return Ok(()),
        entered = timeout(LOGIN_DEADLINE, login) => entered.map_err(|_| FrameError::Slow)??,
    };
    if !entered {
        // The client then reads the response before the end of the connection.
        stream.shutdown().await?;
        return Ok(());
    }
    let mut connection = Connection {
        stream,
        reader,
        service,
        queue: VecDeque::new(),
        next: None,
        half_closed: false,
        ending: None,
    };
    connection.run().await
}

/// Runs the login. Returns whether it succeeded.
async fn log_in(
    stream: &mut TcpStream,
    reader: &mut FrameReader,
    service: &Service,
    place: &mut Place,
) -> Result<bool, Ended> {
    let mut login = Login::new(&service.credentials);
    loop {
        let frame = reader.next(stream, sasl::MAX_FRAME_BYTES);
        let frame = tokio::select! {
            () = service.stopping.cancelled() => return Ok(false),
            frame = frame => frame?,
        };
        let Some(frame) = frame else {
            return Ok(false);
        };
        match login.step(frame.bytes) {
            Step::Answer(answer) => send(stream, answer).await?,
            Step::Welcome(answer) => {
                // Before the response: a client whose login was confirmed must keep its connection.
                if !place.identify() {
                    return Ok(false);
                }
                send(stream, answer).await?;
                return Ok(true);
            }
            Step::Refuse(answer) => {
                metrics::counter!("embedded_log_authentication_failures_total").increment(1);
                info!("the embedded log refused a client: wrong user name or password");
                tokio::select! {
                    () = tokio::time::sleep(FAILURE_PAUSE) => {}
                    () = service.stopping.cancelled() => {}
                }
                send(stream, answer).await?;
                return Ok(false);
            }
            Step::Close(answer, reason) => {
                metrics::counter!("embedded_log_authentication_failures_total").increment(1);
                info!("the embedded log refused a client before its login: {reason}");
                if let Some(answer) = answer {
                    send(stream, answer).await?;
                }
                return Ok(false);
            }
        }
    }
}

struct Connection<'a> {
    stream: TcpStream,
    reader: FrameReader,
    service: &'a Service,
    /// Requests in progress, in the order of their responses.
    queue: VecDeque<Slot>,
    /// A received request that waits for earlier ones.
    next: Option<Frame>,
    /// Whether the client has closed its sending side.
    half_closed: bool,
    /// Ends the connection after the responses to the earlier requests.
    ending: Option<Ended>,
}

/// Why a wait ended.
enum Event {
    Answered(Result<Answer, Failure>),
    Read(Result<Option<Frame>, FrameError>),
    Stopping,
    Timer,
}

impl Connection<'_> {
    async fn run(&mut self) -> Result<(), Ended> {
        let mut active = Instant::now();
        let mut timer = Box::pin(sleep_until(active + MAX_IDLE));
        loop {
            if let Some(frame) = self.take_startable() {
                self.ending = self.start(frame).await.err();
                active = Instant::now();
                continue;
            }
            let idle = self.queue.is_empty();
            if idle && let Some(ended) = self.ending.take() {
                return Err(ended);
            }
            let stopping = &self.service.stopping;
            let may_read = self.next.is_none()
                && self.ending.is_none()
                && !self.half_closed
                && !stopping.is_cancelled();
            let event = tokio::select! {
                // Finished responses go out before new requests are read.
                biased;
                answer = front(&mut self.queue), if !idle => Event::Answered(answer),
                frame = self.reader.next(&mut self.stream, MAX_FRAME_BYTES), if may_read => Event::Read(frame),
                () = stopping.cancelled(), if idle => Event::Stopping,
                () = timer.as_mut(), if idle => Event::Timer,
            };
            match event {
                Event::Answered(answer) => {
                    if !self.send_answers(answer).await? {
                        return Ok(());
                    }
                    active = Instant::now();
                }
                Event::Read(Ok(Some(frame))) => self.next = Some(frame),
                // Finish only produce requests: the client no longer waits for a fetch or for a place in a group.
                Event::Read(Ok(None)) if !idle && self.has_only_produce() => {
                    self.half_closed = true;
                }
                Event::Read(Err(FrameError::Io(error))) if !self.has_only_produce() => {
                    return Err(error.into());
                }
                // The requests before the bad one are good, and the client waits for their responses.
                Event::Read(Err(error)) => self.ending = Some(error.into()),
                // Reset the timer only when it fires, which is cheaper than at every request.
                Event::Timer if Instant::now() < active + MAX_IDLE => {
                    timer.as_mut().reset(active + MAX_IDLE);
                }
                Event::Read(Ok(None)) | Event::Stopping | Event::Timer => return Ok(()),
            }
            if self.half_closed && self.queue.is_empty() {
                return Ok(());
            }
        }
    }

    /// Whether no other request is in progress.
    fn has_only_produce(&self) -> bool {
        self.queue.iter().all(|slot| slot.is_produce)
    }

    /// Takes the received request if it need not wait for others.
    fn take_startable(&mut self) -> Option<Frame> {
        let produce_only = self.has_only_produce();
        let room = self.queue.len() < MAX_PIPELINED;
        let queue_empty = self.queue.is_empty();
        self.next
            .take_if(|frame| queue_empty || (produce_only && room && is_produce(&frame.bytes)))
    }

    /// Starts a request. The first poll happens here, so requests reach their first wait in order.
    async fn start(&mut self, frame: Frame) -> Result<(), Ended> {
        let Frame { mut bytes, permit } = frame;
        let is_produce = is_produce(&bytes);
        let head = Head::read(&mut bytes).map_err(refused)?;
        let api = apis::find(head.key).ok_or(Ended::NotOffered(head.key, head.version));
        let api = api.inspect_err(|_| count_refused())?;
        let offered = (api.oldest..=api.newest).contains(&head.version);
        let work = if offered {
            frame::skip_header_tags(api, head.version, &mut bytes).map_err(refused)?;
            let node = Arc::clone(&self.service.node);
            let asked = Asked {
                api,
                head,
                body: bytes,
            };
            let mut working: Working =
                Box::pin(async move { requests::answer(&node, asked).await });
            match poll_fn(|context| Poll::Ready(working.as_mut().poll(context))).await {
                Poll::Ready(answer) => Work::Done(answer),
                Poll::Pending => Work::Waiting(working),
            }
        } else if matches!(api.key, ApiKey::ApiVersions) {
            let answer = api_versions::too_new(&head).map_err(Failure::from)?;
            Work::Done(Ok(Answer::Frame(answer, None)))
        } else {
            count_refused();
            return Err(Ended::NotOffered(head.key, head.version));
        };
        self.queue.push_back(Slot {
            work,
            is_produce,
            _permit: permit,
        });
        Ok(())
    }

    /// Sends the first response and all following ones that are ready. Returns `false` if the connection must end.
    async fn send_answers(&mut self, first: Result<Answer, Failure>) -> Result<bool, Ended> {
        let mut joined = BytesMut::new();
        let mut answer = first;
        let outcome = loop {
            // The response has been taken, so free the slot and the request's memory.
            self.queue.pop_front();
            match answer {
                // Earlier responses are sent first: their requests were good.
                Err(failure) => {
                    count_refused();
                    break Err(failure.into());
                }
                Ok(Answer::Close) => break Ok(false),
                Ok(Answer::Silence) => {}
                Ok(Answer::Frame(frame, memory)) => {
                    if joined.len() + frame.len() <= JOINED_BYTES && !self.queue.is_empty() {
                        joined.extend_from_slice(&frame);
                    } else {
                        if !joined.is_empty() {
                            send(&mut self.stream, joined.split().freeze()).await?;
                        }
                        send(&mut self.stream, frame).await?;
                    }
                    drop(memory);
                }
            }
            let more = poll_fn(|context| {
                let front = self.queue.front_mut();
                Poll::Ready(front.map_or(Poll::Pending, |slot| slot.poll(context)))
            });
            match more.await {
                Poll::Ready(next) => answer = next,
                Poll::Pending => break Ok(true),
            }
        };
        if !joined.is_empty() {
            send(&mut self.stream, joined.freeze()).await?;
        }
        outcome
    }
}

/// Waits for the response of the first request in progress.
async fn front(queue: &mut VecDeque<Slot>) -> Result<Answer, Failure> {
    poll_fn(|context| match queue.front_mut() {
        Some(slot) => slot.poll(context),
        None => Poll::Pending,
    })
    .await
}

fn is_produce(frame: &[u8]) -> bool {
    frame.first_chunk() == Some(&(ApiKey::Produce as i16).to_be_bytes())
}

fn refused(error: frame::BadRequest) -> Ended {
    count_refused();
    Failure::Bad(error).into()
}

fn count_refused() {
    metrics::counter!("embedded_log_requests_refused_total").increment(1);
}

/// Sends bytes. Fails if the client has not read them in time, see [`MAX_STALL`].
///
/// The deadline is for all bytes: responses keep their memory until they are sent, and a client that reads a little
/// every minute would keep it for ever.
pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: Bytes,
) -> Result<(), Ended> {
    let allowed = MAX_STALL + Duration::from_micros(bytes.len() as u64);
    let written = timeout(allowed, stream.write_all(&bytes)).await;
    Ok(written.map_err(|_| Ended::Stalled)??)
}
