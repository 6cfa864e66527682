//! footfall
