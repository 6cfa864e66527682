//! The OpenAPI 3.1 document: put together from what each service says of its own routes.
//!
//! Owns the words (schemas, operations, refusals), the document made of them, and the two routes that
//! show it; what the routes are is said next to their handlers. The one rule: what can be taken from the
//! program is not said again: errors come from the functions that make them, answers from their types
//! or rows, limits from their constants.
//!
//! The document is made of `serde_json` values, and of `schemars` where an answer is a type. A report
//! is a row of a table and a body is read member by member, so there is hardly a type for a crate like
//! utoipa to derive from, and its builders would only spell the same values in more words.

#![expect(
    clippy::indexing_slicing,
    reason = "the documents are our own, and a member that is absent is null"
)]

mod document;
mod example;
mod operation;
mod page;
mod refusal;
mod routes;
mod schema;

#[cfg(test)]
mod tests;

pub use document::Document;
pub use operation::{Access, Operation, Throttled};
pub(crate) use page::STYLE;
pub(crate) use routes::page_policy;
pub use routes::router;
pub use schema::{
    Member, Schema, any_object, anything, boolean, constant, data, instant, list, nullable, number,
    object, one_of, optional, reference, required, success, text, uuid, whole, word_of,
};

use crate::http::{health, home};

/// Describes what every binary serves besides its own routes.
pub fn describe(document: &mut Document) {
    const TAG: &str = "Service";
    document.tag(TAG, "How the program is, and what it serves.");
    home::describe(document, TAG);
    health::describe(document, TAG);
    routes::describe(document, TAG);
}
