//! What a demo and measurements are made of: plausible history.

mod people;
pub mod visits;
