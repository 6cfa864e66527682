//! The seam between answering and keeping: where events go, and when they are safe.
//!
//! The one rule: a result is given once it is known, and `Ok` only for what survives the end of this process.

mod log;

pub use log::LogSink;

use futures::future::BoxFuture;
use schemas::Event;
use std::fmt::Debug;
use thiserror::Error;

/// An event on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The workspace's id, which decides the partition.
    pub key: String,
    /// The event as JSON.
    pub payload: Vec<u8>,
}

impl Outgoing {
    /// The event as the log keeps it.
    ///
    /// # Errors
    /// Never for events made of this program's types.
    pub fn of(event: &Event) -> Result<Self, NotDurable> {
        let payload = event
            .to_bytes()
            .map_err(|error| NotDurable(format!("an event cannot be written: {error}")))?;
        let key = event.key();
        Ok(Self { key, payload })
    }
}

/// An event is not known to be safe; sending it again does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotDurable(pub String);

/// Takes events and keeps them.
pub trait Sink: Send + Sync + Debug {
    /// Keeps these events; one result each, in their order. Waits for nothing longer than a request may.
    fn publish<'a>(&'a self, events: &'a [Outgoing]) -> BoxFuture<'a, Vec<Result<(), NotDurable>>>;
}
