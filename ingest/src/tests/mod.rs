//! Tests a whole instance through its router.

mod batch;
mod cluster;
mod decoration;
mod deleted_workspaces;
mod delivery;
mod directory;
mod fixtures;
mod generators;
mod geo;
mod history;
mod history_lines;
mod history_links;
mod kit;
mod limits;
mod prefetch;
mod properties;
mod redirect;
mod redirect_apps;
mod redirect_gates;
mod redirect_passwords;
mod redirect_rules;
mod refusals;
mod sessions;
