//! The surface of workspaces: who may call what, by which credential.

mod credentials;
pub mod deleted;
mod deleted_links;
pub mod dns;
mod domains;
mod keys;
mod lost_hosts;
mod members;
mod mobile_apps;
pub mod objects;
mod plans;
mod refused;
pub mod refused_reports;
mod webhooks;
