//! The vocabulary of reports: facts, measures, dimensions, scopes and time buckets.
//!
//! The projector and the api share it. It names every table and column that reports read, but has
//! no SQL. Each source of answers derives its own queries from these values.

pub mod buckets;
pub mod dimensions;
pub mod facts;
pub mod measures;
pub mod metrics;
pub mod rounding;
pub mod scopes;

pub use buckets::{Bucket, Buckets, Timeline};
pub use dimensions::{Dimension, Reach, Values};
pub use facts::{Fact, Predicate, TENANT, Visit};
pub use measures::{Aggregate, Charge, Measure, Stored};
pub use metrics::{Amount, Metric, Over, Ratio, Without, Yield};
pub use rounding::Rounding;
pub use scopes::{Scope, Within};

#[cfg(test)]
mod tests;
