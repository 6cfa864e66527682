//! HTTP for every service: connections, one error type, dialects, correlation ids, limits, CORS.

pub(crate) mod accept;
pub mod body;
pub mod client;
mod connection;
mod connections;
pub mod cors;
pub mod dialect;
pub mod error;
mod etag;
pub mod finish;
mod head;
mod last_rest;
pub mod listen;
mod options;
mod prepared;
mod progress;
pub mod public_url;
mod reply;
mod rest;
pub mod serve;
pub mod throttled;
pub mod validate;

pub use client::{Peer, TrustedProxies};
pub use dialect::{Dialect, Surfaces};
pub use error::ApiError;
pub use options::Options;
pub use prepared::Prepared;
pub use reply::{created, done, ok, ok_beside};
pub use validate::Fields;

use crate::{
    metrics::{Metric, combinations},
    settings::Part,
};
use std::time::Duration;

/// Settings and metrics of every listener.
pub const LISTENER: Part = Part {
    settings: &[options::IDLE, options::CONNECTIONS],
    metrics: &[
        Metric::counter(
            "http_requests_total",
            &["route", "status"],
            "Requests answered, by route id and status class.",
        ),
        Metric::histogram(
            "http_request_seconds",
            &["route"],
            "Time from a request's head to its answer.",
        ),
        Metric::counter("http_throttled_total", &["route"], "Requests answered 429."),
        Metric::gauge("http_connections", &[], "Open connections."),
        Metric::counter(
            "http_connections_dropped_total",
            &["reason"],
            "Connections closed by the server: the client was slow (head, idle, write), room was needed (room), or its address had too many (address).",
        )
        .known(|| combinations(&[("reason", &["head", "idle", "write", "room", "address"])])),
    ],
};

/// Settings of services that the public calls.
pub const PUBLIC: Part = Part {
    settings: &[
        public_url::PUBLIC_URL,
        cors::ORIGINS,
        client::PROXIES,
        crate::throttle::RATE_LIMITS,
    ],
    metrics: &[],
};

/// Time for a request's head, from its first byte. For the first head, from the connection's start.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a kept connection may idle, unless a setting says otherwise. Proxies keep theirs for 60
/// s and longer, and the side that sends must be the first to give up.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a client may read nothing of what is written to it.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long clients may take to read their answers once the program stops. Shorter than a step of
/// [`Lifecycle`](crate::lifecycle::STEP_TIMEOUT), so that the workers still finish.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for a request's body to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Most open connections of a listener, if the process may open that many files. When all are
/// taken, the one that has waited longest for its client makes room for the next.
pub const MAX_CONNECTIONS: usize = 10_000;
/// Largest head of a request, and most bytes that are buffered for a client. hyper doubles its buffer,
/// which thus never holds 64 KiB of one address: it would answer that with a bare 414.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Most header fields of a request: hyper's default, which costs no allocation.
pub const MAX_HEAD_FIELDS: usize = 100;
/// Longest path and query; proxies have the same default.
pub const MAX_TARGET_BYTES: usize = 8 * 1024;
