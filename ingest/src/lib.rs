//! Takes beacons in and publishes events.

pub mod enrich;
