//! Names of the headers on dead letters. The letter itself is the original record, cut if it is too
//! long.

/// The reason why the record is unreadable.
pub const REASON: &str = "footfall-reason";
/// Its original topic.
pub const TOPIC: &str = "footfall-origin-topic";
/// Its original partition.
pub const PARTITION: &str = "footfall-origin-partition";
/// Its original offset.
pub const OFFSET: &str = "footfall-origin-offset";
/// The time at which it became a dead letter, RFC 3339.
pub const TIME: &str = "footfall-time";
