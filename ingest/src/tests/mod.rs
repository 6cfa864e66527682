//! Tests a whole instance through its router.

mod batch;
mod cluster;
mod decoration;
mod delivery;
mod directory;
mod fixtures;
mod generators;
mod geo;
mod history;
mod history_lines;
mod kit;
mod limits;
mod properties;
mod redirect;
mod refusals;
mod sessions;
