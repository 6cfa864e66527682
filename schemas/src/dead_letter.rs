//! Names of the headers on dead letters. The letter itself is the record as it was, byte for byte.

/// Why it could not be read.
pub const REASON: &str = "footfall-reason";
/// Topic it came from.
pub const TOPIC: &str = "footfall-origin-topic";
/// Partition it came from.
pub const PARTITION: &str = "footfall-origin-partition";
/// Offset it had there.
pub const OFFSET: &str = "footfall-origin-offset";
/// When it was set aside, RFC 3339.
pub const TIME: &str = "footfall-time";
