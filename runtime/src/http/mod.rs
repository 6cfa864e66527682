//! HTTP as every service speaks it: one error type, correlation ids, limits, CORS, health routes.

pub mod body;
pub mod client;
pub mod cors;
pub mod error;
pub mod etag;
pub mod finish;
pub mod health;
pub mod listen;
pub mod serve;
pub mod throttled;
pub mod validate;

pub use client::{Peer, TrustedProxies};
pub use error::{ApiError, ok, success};
pub use validate::Fields;

use std::time::Duration;

/// Until when a request's head must be complete.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Until when a request's body must be complete.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Until when a beacon is answered once its body is there. Longer than
/// [`MESSAGE_TIMEOUT`](crate::kafka::MESSAGE_TIMEOUT), which decides.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);
/// Most open connections of a listener; more wait in the kernel's queue.
pub const MAX_CONNECTIONS: usize = 10_000;
