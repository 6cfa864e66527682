//! The routes of the api, as the OpenAPI document has them.
//!
//! What they are is said next to their handlers, and for reports by the catalogue.

use crate::{creators, limits, links, public, surface};
use axum::http::Method;
use runtime::openapi::{Access, Document, Operation, Schema, Throttled, uuid};

/// Describes every route of the api.
pub fn describe(document: &mut Document) {
    creators::describe(document);
    links::describe(document);
    surface::describe(document);
    public::describe(document);
}

/// A route behind [`guarded`](crate::guard::guarded), which reads or writes a database: its handler's name
/// and its limit's.
pub(crate) fn guarded(
    method: Method,
    path: &str,
    tag: &'static str,
    of: (&str, &str),
) -> Operation {
    let (id, limit) = of;
    let operation = Operation::new(method, path, tag, id).access(Access::Bearer);
    limited(operation, limit, "user").refuses_while_away()
}

/// The limit of that name, and what is counted by itself.
pub(crate) fn limited(operation: Operation, limit: &str, each: &str) -> Operation {
    let published = limits::published();
    match published.into_iter().find(|known| known.route == limit) {
        Some(limit) => operation.throttled(Throttled::Always, limit, each),
        None => operation,
    }
}

/// The page that a request is about.
pub(crate) fn page_id() -> Schema {
    uuid().about("The page; the first one where none is given.")
}
