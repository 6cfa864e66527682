//! The Kafka log as a sink: an event is durable once the broker has acknowledged it.

use super::{NotDurable, Outgoing, Sink};
use futures::future::BoxFuture;
use runtime::{Producer, producer::Record};
use schemas::topics::EVENTS;
use std::sync::Arc;

/// Publishes events to [`EVENTS`].
#[derive(Clone, Debug)]
pub struct LogSink {
    producer: Arc<Producer>,
}

impl LogSink {
    /// Makes a sink for the cluster of this producer.
    #[must_use]
    pub fn new(producer: Arc<Producer>) -> Self {
        Self { producer }
    }
}

/// Events as records of their topic.
pub(super) fn records(events: &[Outgoing]) -> Vec<Record<'_>> {
    events
        .iter()
        .map(|event| Record {
            topic: EVENTS,
            key: &event.key,
            payload: &event.payload,
            headers: &[],
        })
        .collect()
}

impl Sink for LogSink {
    fn publish<'a>(&'a self, events: &'a [Outgoing]) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        Box::pin(async move {
            let outcomes = self.producer.send(&records(events)).await;
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
