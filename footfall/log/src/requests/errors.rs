//! Which of Kafka's errors a failure of the store or of a batch is.
//!
//! The rule to keep: what may pass by itself is retriable, so that producers keep their records.

use kafka_protocol::ResponseError as Error;

use crate::{
    batch::BatchError,
    store::{AppendError, StoreError},
};

/// A batch that cannot be appended.
pub(super) fn of_batch(error: &BatchError) -> Error {
    match error {
        BatchError::Corrupt => Error::CorruptMessage,
        BatchError::Invalid(_) => Error::InvalidRecord,
        BatchError::Compression => Error::UnsupportedCompressionType,
        BatchError::TooLarge => Error::MessageTooLarge,
        BatchError::Timestamp => Error::InvalidTimestamp,
        // Kafka asks whether the producer may use its transactional id, and one without an id may not.
        BatchError::Transaction => Error::TransactionalIdAuthorizationFailed,
        BatchError::Epoch => Error::InvalidProducerEpoch,
    }
}

/// An append that was refused.
pub(super) fn of_append(error: AppendError) -> Error {
    match error {
        AppendError::OutOfOrderSequence => Error::OutOfOrderSequenceNumber,
        AppendError::DuplicateSequence => Error::DuplicateSequenceNumber,
        AppendError::InvalidProducerEpoch => Error::InvalidProducerEpoch,
        AppendError::UnknownProducerId => Error::UnknownProducerId,
        AppendError::NullKey => Error::InvalidRecord,
        AppendError::Gone => Error::UnknownTopicOrPartition,
        // A client waits a moment and sends the records again; nothing of them is in the log.
        AppendError::Full => Error::NotEnoughReplicas,
        AppendError::Storage => Error::KafkaStorageError,
    }
}

/// Anything else that the store could not do.
pub(super) fn of_store(error: &StoreError) -> Error {
    match error {
        StoreError::TopicExists => Error::TopicAlreadyExists,
        StoreError::UnknownTopic => Error::UnknownTopicOrPartition,
        StoreError::Batch(_) => Error::CorruptMessage,
        _ => Error::KafkaStorageError,
    }
}
