//! The interface for storing events, and for learning when they are durable.
//!
//! The one rule: a result is returned only once it is known, and it is `Ok` only for an event that
//! survives the end of this process.

mod durable;
mod log;
pub mod spool;

pub use durable::{DurableSink, SPOOL_AFTER};
pub use log::LogSink;

use futures::future::BoxFuture;
use schemas::Event;
use std::fmt::Debug;
use thiserror::Error;

/// An event as it is sent to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The workspace's id, which decides the partition.
    pub key: String,
    /// The event as JSON.
    pub payload: Vec<u8>,
}

impl Outgoing {
    /// Serializes an event for the log.
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

/// An event is not known to be durable. Sending it again is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotDurable(pub String);

/// Stores events.
pub trait Sink: Send + Sync + Debug {
    /// Stores these events and returns one result per event, in order. Never takes longer than a
    /// request may.
    fn publish<'a>(&'a self, events: &'a [Outgoing]) -> BoxFuture<'a, Vec<Result<(), NotDurable>>>;

    /// The same for events that the caller keeps until they are in the log. They take no room in a
    /// spool.
    fn publish_kept<'a>(
        &'a self,
        events: &'a [Outgoing],
    ) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        self.publish(events)
    }
    /// The same for events that no client waits for, so none repeats them. Takes as long as the log
    /// may still accept them.
    fn publish_unrepeated<'a>(
        &'a self,
        events: &'a [Outgoing],
    ) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        self.publish(events)
    }
}
