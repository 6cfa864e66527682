//! Deadlines of a connection, on a clock that the test controls, and bodies that no handler reads.

use super::{
    super::{
        HEAD_TIMEOUT, IDLE_TIMEOUT, WRITE_TIMEOUT, connections::Connections, connections::Place,
    },
    *,
};
use axum::{
    body::Body,
    http::StatusCode,
    routing::{get, post},
};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, advance},
};

impl Stream for DuplexStream {
    fn discard_unsent(&self) {}
}

const PATIENCE: Patience = Patience {
    head: HEAD_TIMEOUT,
    idle: IDLE_TIMEOUT,
    write: WRITE_TIMEOUT,
};
/// More than the stream between the two ends can hold.
const LONG_TEXT_BYTES: usize = 256 * 1024;
const STREAM_BYTES: usize = 64 * 1024;
const HEAD: &str = "GET /short HTTP/1.1\r\nHost: test\r\n\r\n";

/// A connection and its client's end.
struct Connected {
    connections: Arc<Connections>,
    client: DuplexStream,
    served: JoinHandle<()>,
}

fn router() -> Router {
    Router::new()
        .route("/short", get(|| async { "short" }))
        .route("/long", get(|| async { "x".repeat(LONG_TEXT_BYTES) }))
        .route("/unread", post(|| async { StatusCode::UNAUTHORIZED }))
        .route(
            "/read",
            post(|body: Body| async move {
                let read = crate::http::body::read(body, 1_000).await;
                read.map(|bytes| bytes.len().to_string())
            }),
        )
}

fn connect() -> Connected {
    let connections = Connections::new(10, 10);
    let place: Place = connections.enter(None).unwrap();
    let (client, stream) = duplex(STREAM_BYTES);
    let served = tokio::spawn(async move {
        let peer = "192.0.2.1:4711".parse().unwrap();
        serve(stream, peer, router(), &place.client, PATIENCE).await;
        drop(place);
    });
    Connected {
        connections,
        client,
        served,
    }
}

impl Connected {
    async fn send(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next answer, head and body.
    async fn answer(&mut self) -> String {
        let mut text = String::new();
        let mut byte = [0];
        while !text.ends_with("\r\n\r\n") {
            self.client.read_exact(&mut byte).await.unwrap();
            text.push(byte[0].into());
        }
        let lower = text.to_ascii_lowercase();
        let length = lower
            .split_once("content-length: ")
            .map_or("0", |(_, rest)| rest.split("\r\n").next().unwrap());
        let mut body = vec![0; length.parse().unwrap()];
        self.client.read_exact(&mut body).await.unwrap();
        text + std::str::from_utf8(&body).unwrap()
    }

    /// Waits for the server to close, and returns how long that took.
    async fn closed_after(&mut self) -> Duration {
        let begun = Instant::now();
        let mut rest = Vec::new();
        let _ = self.client.read_to_end(&mut rest).await;
        assert_eq!(String::from_utf8_lossy(&rest), "");
        begun.elapsed()
    }
}

fn assert_about(took: Duration, expected: Duration) {
    let late = took.checked_sub(expected);
    // Timers are exact to a millisecond.
    let near = late.is_some_and(|late| late <= Duration::from_millis(10));
    assert!(near, "{took:?} instead of {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn the_first_head_has_ten_seconds_from_the_connections_start() {
    let mut silent = connect();
    assert_about(silent.closed_after().await, HEAD_TIMEOUT);

    let mut slow = connect();
    let begun = Instant::now();
    for piece in HEAD.as_bytes().chunks(HEAD.len() / 4 + 1).take(3) {
        slow.client.write_all(piece).await.unwrap();
        advance(Duration::from_secs(3)).await;
    }
    slow.closed_after().await;
    assert_about(begun.elapsed(), HEAD_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_may_idle_and_its_next_head_has_ten_seconds_again() {
    let mut kept = connect();
    for _ in 0..3 {
        kept.send(HEAD).await;
        assert!(kept.answer().await.starts_with("HTTP/1.1 200"));
        advance(IDLE_TIMEOUT.checked_sub(Duration::from_secs(1)).unwrap()).await;
    }
    kept.send("GET /sh").await;
    assert_about(kept.closed_after().await, HEAD_TIMEOUT);

    let mut kept = connect();
    kept.send(HEAD).await;
    kept.answer().await;
    assert_about(kept.closed_after().await, IDLE_TIMEOUT);
    kept.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_dropped_and_a_slow_one_is_not() {
    let mut deaf = connect();
    let begun = Instant::now();
    deaf.send(&"GET /long HTTP/1.1\r\nHost: test\r\n\r\n".repeat(10))
        .await;
    deaf.served.await.unwrap();
    assert_about(begun.elapsed(), WRITE_TIMEOUT);

    let mut slow = connect();
    slow.send("GET /long HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        .await;
    let (mut read, mut some) = (0, vec![0; STREAM_BYTES / 4]);
    loop {
        advance(WRITE_TIMEOUT.checked_sub(Duration::from_secs(5)).unwrap()).await;
        match slow.client.read(&mut some).await.unwrap() {
            0 => break,
            bytes => read += bytes,
        }
    }
    assert!(read > LONG_TEXT_BYTES, "{read}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_answers_requests_in_flight_but_waits_for_no_idle_client() {
    let begun = Instant::now();
    // Clients that idle, stop within a head, do not read, and still send a body.
    let mut idle = connect();
    idle.send(HEAD).await;
    idle.answer().await;
    let mut slow = connect();
    slow.send("GET /sh").await;
    let mut deaf = connect();
    deaf.send(&"GET /long HTTP/1.1\r\nHost: test\r\n\r\n".repeat(10))
        .await;
    let mut reading = connect();
    reading
        .send("POST /read HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\n")
        .await;
    // The paused clock moves only when all tasks wait, so by then everything has arrived.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let all = [&idle, &slow, &deaf, &reading].map(|one| Arc::clone(&one.connections));
    let ends =
        all.map(|connections| tokio::spawn(async move { connections.end(Order::Stop).await }));
    tokio::time::sleep(Duration::from_secs(1)).await;
    reading.send("body").await;
    let answer = reading.answer().await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n4"),
        "{answer}"
    );
    assert!(
        answer.to_ascii_lowercase().contains("connection: close"),
        "{answer}"
    );
    for end in ends {
        end.await.unwrap();
    }
    assert_about(begun.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_must_make_room_leaves_at_once() {
    let begun = Instant::now();
    let connected = connect();
    connected.connections.end(Order::Leave).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_no_handler_reads_leaves_the_connection_usable() {
    for path in ["/unread", "/short", "/nowhere", "/read"] {
        let mut kept = connect();
        kept.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 2000\r\n\r\n"
        ))
        .await;
        let answer = kept.answer().await.to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 4"), "{path}: {answer}");
        assert!(!answer.contains("connection: close"), "{path}: {answer}");
        // Slow, but in time for a body. If these bytes counted as a head, it would be overdue
        // below.
        advance(Duration::from_secs(5)).await;
        kept.send(&"x".repeat(1_000)).await;
        advance(Duration::from_secs(4)).await;
        kept.send(&"x".repeat(1_000)).await;
        advance(IDLE_TIMEOUT.checked_sub(Duration::from_secs(1)).unwrap()).await;
        kept.send(HEAD).await;
        let answer = kept.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unread_body_that_may_be_too_long_closes_the_connection() {
    for framing in [
        "Content-Length: 2000000",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue\r\nContent-Length: 5",
    ] {
        let mut last = connect();
        last.send(&format!(
            "POST /unread HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n"
        ))
        .await;
        let answer = last.answer().await.to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 401"), "{framing}: {answer}");
        assert!(answer.contains("connection: close"), "{framing}: {answer}");
        assert!(!answer.contains("100 continue"), "{framing}: {answer}");
        // A client that keeps sending still gets its answer, and then the end of the connection.
        let _ = last.client.write_all(b"5\r\nabcde\r\n0\r\n\r\n").await;
        last.closed_after().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_body_is_read_before_the_connection_closes() {
    for (path, status) in [("/unread", 401), ("/nowhere", 404), ("/short", 405)] {
        let asking = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n"
        );
        let mut late = connect();
        late.send(&asking).await;
        let answer = late.answer().await.to_ascii_lowercase();
        assert!(
            answer.starts_with(&format!("http/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains("connection: close"), "{answer}");
        advance(Duration::from_secs(3)).await;
        late.send(&"x".repeat(200_000)).await;
        late.client.shutdown().await.unwrap();
        late.served.await.unwrap();

        // A client that sends nothing learns at once that this is the end, and the wait for it is
        // short.
        let mut silent = connect();
        silent.send(&asking).await;
        silent.answer().await;
        let begun = Instant::now();
        assert_about(silent.closed_after().await, Duration::ZERO);
        silent.served.await.unwrap();
        assert_about(begun.elapsed(), super::super::BODY_TIMEOUT);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_missing_body_ends_at_its_deadline() {
    let mut kept = connect();
    kept.send("POST /unread HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nabc")
        .await;
    kept.answer().await;
    assert_about(kept.closed_after().await, super::super::BODY_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn requests_sent_ahead_are_answered_in_order() {
    let mut ahead = connect();
    let refused = "POST /unread HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nabcde";
    ahead.send(&format!("{refused}{HEAD}{refused}{HEAD}")).await;
    for status in ["401", "200", "401", "200"] {
        let answer = ahead.answer().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}
