//! Where events go and when they are safe: the seam between answering and keeping.
//!
//! The one rule: a result is given once it is known, and `Ok` only for what survives the end of this process.

use futures::future::BoxFuture;
use runtime::{Producer, producer::Record};
use schemas::topics::EVENTS;
use std::{fmt::Debug, sync::Arc};
use thiserror::Error;

/// An event on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The workspace's id, which decides the partition.
    pub key: String,
    /// The event as JSON.
    pub payload: Vec<u8>,
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

/// The log.
#[derive(Clone, Debug)]
pub struct KafkaSink {
    producer: Arc<Producer>,
}

impl KafkaSink {
    /// Into that producer's cluster.
    #[must_use]
    pub fn new(producer: Arc<Producer>) -> Self {
        Self { producer }
    }
}

impl Sink for KafkaSink {
    fn publish<'a>(&'a self, events: &'a [Outgoing]) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        Box::pin(async move {
            let records: Vec<Record<'_>> = events
                .iter()
                .map(|event| Record {
                    topic: EVENTS,
                    key: &event.key,
                    payload: &event.payload,
                    headers: &[],
                })
                .collect();
            let outcomes = self.producer.send(&records).await;
            outcomes
                .into_iter()
                .map(|outcome| match outcome {
                    Ok(_) => Ok(()),
                    Err(error) => Err(NotDurable(error.to_string())),
                })
                .collect()
        })
    }
}
