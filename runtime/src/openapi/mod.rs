//! The OpenAPI 3.1 document, put together from each service's description of its own routes.
//!
//! Owns the vocabulary (schemas, operations, refusals), the document and its page. Each route is
//! described next to its handler. The one rule: the document repeats nothing that the program
//! already states. Errors come from the functions that make them, answers from their types or rows,
//! limits from their constants, envelopes from the dialect of the path.
//!
//! The document is a `serde_json` value, with schemas from `schemars` where an answer is a type. A
//! report is a row of a table, and a body is read member by member. So a crate like utoipa would
//! have hardly a type to derive from, and its builders would spell the same values in more words.

#![expect(
    clippy::indexing_slicing,
    reason = "the documents are our own, and a member that is absent is null"
)]

mod dialect;
mod document;
mod example;
mod headers;
mod operation;
pub(crate) mod page;
mod refusal;
mod schema;

#[cfg(test)]
mod tests;

pub use dialect::Described;
pub use document::Document;
pub use operation::{Access, Operation, Throttled};
pub use schema::{
    Member, Schema, any_object, any_of, anything, boolean, constant, instant, list, nullable,
    number, object, one_of, optional, reference, required, text, uuid, whole, word_of,
};
