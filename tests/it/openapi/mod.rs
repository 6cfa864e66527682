//! The OpenAPI document: it is valid, it has every route, and every response matches it.

mod answers;
mod beacons;
pub mod checker;
mod contents;
mod conversions;
mod document;
mod events;
mod limits;
mod link_reports;
mod links;
mod routes;
mod workspaces;
