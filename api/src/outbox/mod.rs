//! Publishes changes of the main database to the directory topic.
//!
//! [`store::outbox`](crate::store::outbox) writes a change to the outbox in its own transaction.
//! The [`Publisher`] of one api at a time publishes it. The one rule: for one key, a newer entry is
//! never followed by an older one, because a compacted topic keeps the last one.

mod log;
mod publisher;
mod republish;
mod send;

pub(crate) use publisher::{PART, Publisher};

use rdkafka::error::KafkaError;
use runtime::{database, producer::SendError, topics::TopicError};
use thiserror::Error;

/// Why publishing stopped. It starts over after a pause.
#[derive(Debug, Error)]
enum PublishError {
    /// The main database failed.
    #[error("the main database: {}", database::message(.0))]
    Database(#[from] sqlx::Error),
    /// The topics cannot be used, or the cluster does not answer.
    #[error("{0}")]
    Topics(#[from] TopicError),
    /// The cluster did not answer, or refused.
    #[error("the Kafka cluster: {0}")]
    Kafka(#[from] KafkaError),
    /// A record is not known to be in the log.
    #[error("the directory topic: {0}")]
    Unsent(#[from] SendError),
    /// An entry could not be serialized.
    #[error("an entry of the directory: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// The topics have not been created yet.
    #[error("the topics do not exist yet; create them with `footfall topics`")]
    NoLog,
    /// The log was replaced, or lost its end, while this api published to it.
    #[error("the log was replaced or lost its end; publishing everything again")]
    Replaced,
}

impl PublishError {
    /// True when the cause is at the broker; false for the database and for topics that do not
    /// exist.
    const fn is_broker_away(&self) -> bool {
        matches!(self, Self::Topics(_) | Self::Kafka(_) | Self::Unsent(_))
    }
}
