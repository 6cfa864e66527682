//! Maps failures of the store and of batches to Kafka's errors.
//!
//! The rule to keep: a failure that may end by itself is retriable, so that producers keep their records.

use kafka_protocol::ResponseError as Error;

use crate::{
    batch::BatchError,
    store::{AppendError, StoreError},
};

/// The error for a batch that cannot be appended.
pub(super) fn of_batch(error: &BatchError) -> Error {
    match error {
        BatchError::Corrupt => Error::CorruptMessage,
        BatchError::Invalid(_) => Error::InvalidRecord,
        BatchError::Compression => Error::UnsupportedCompressionType,
        BatchError::TooLarge => Error::MessageTooLarge,
        BatchError::Timestamp => Error::InvalidTimestamp,
        // Kafka checks the permission for the transactional id, and this producer has none.
        BatchError::Transaction => Error::TransactionalIdAuthorizationFailed,
        BatchError::Epoch => Error::InvalidProducerEpoch,
    }
}

/// The error for a refused append.
pub(super) fn of_append(error: AppendError) -> Error {
    match error {
        AppendError::OutOfOrderSequence => Error::OutOfOrderSequenceNumber,
        AppendError::DuplicateSequence => Error::DuplicateSequenceNumber,
        AppendError::InvalidProducerEpoch => Error::InvalidProducerEpoch,
        AppendError::UnknownProducerId => Error::UnknownProducerId,
        AppendError::NullKey => Error::InvalidRecord,
        AppendError::Gone => Error::UnknownTopicOrPartition,
        // Clients wait a moment and send the records again. None of them are in the log.
        AppendError::Full => Error::NotEnoughReplicas,
        AppendError::Storage => Error::KafkaStorageError,
    }
}

/// The error for any other failure of the store.
pub(super) fn of_store(error: &StoreError) -> Error {
    match error {
        StoreError::TopicExists => Error::TopicAlreadyExists,
        StoreError::UnknownTopic => Error::UnknownTopicOrPartition,
        StoreError::Batch(_) => Error::CorruptMessage,
        _ => Error::KafkaStorageError,
    }
}
