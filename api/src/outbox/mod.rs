//! Changes of the main database on their way to the directory topic.
//!
//! [`store::outbox`](crate::store::outbox) writes them in the transaction that makes them;
//! [`Publisher`] publishes them, one api at a time. The one rule: for one key, a newer entry is never
//! followed by an older one, since a compacted topic keeps what came last.

mod log;
mod publisher;
mod republish;
mod send;

pub(crate) use publisher::{PART, Publisher};

use rdkafka::error::KafkaError;
use runtime::{database, producer::SendError, topics::TopicError};
use thiserror::Error;

/// Why publishing stopped; it starts over after a pause.
#[derive(Debug, Error)]
enum PublishError {
    /// The main database.
    #[error("the main database: {}", database::message(.0))]
    Database(#[from] sqlx::Error),
    /// The cluster does not answer, or refuses.
    #[error("{0}")]
    Topics(#[from] TopicError),
    /// The cluster does not answer, or refuses.
    #[error("the Kafka cluster: {0}")]
    Kafka(#[from] KafkaError),
    /// A record is not known to be in the log.
    #[error("the directory topic: {0}")]
    Unsent(#[from] SendError),
    /// An entry could not be written as JSON.
    #[error("an entry of the directory: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// The topics have not been made yet.
    #[error("the topics are not there yet; create them with `footfall topics`")]
    NoLog,
    /// The log changed under us.
    #[error("the log was replaced or lost its end; publishing everything again")]
    Replaced,
}

impl PublishError {
    /// True when the broker is why; false for the database and for topics that nobody has made.
    const fn is_broker_away(&self) -> bool {
        matches!(self, Self::Topics(_) | Self::Kafka(_) | Self::Unsent(_))
    }
}
