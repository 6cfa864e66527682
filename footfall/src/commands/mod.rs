//! The commands other than `up`, one file each.

pub mod import;
pub mod progress;
pub mod reach;
pub mod rebuild;
pub mod replay;
pub mod token;
pub mod topics;
pub mod tracking_token;
