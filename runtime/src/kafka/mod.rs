//! Access to the Kafka log: the cluster, its clients, the producer, the topics.

mod clients;
pub mod producer;
pub mod properties;
pub mod same_log;
mod scopes;
mod settings;
#[cfg(test)]
mod tests;
pub mod topics;

pub use clients::{MESSAGE_TIMEOUT, blocking, is_transient};
pub use producer::Producer;
pub use settings::{KafkaSettings, PART};
