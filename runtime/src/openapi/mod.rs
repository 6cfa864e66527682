//! The OpenAPI 3.1 document: put together from what each service says of its own routes.
//!
//! Owns the words (schemas, operations, refusals), the document made of them, and its page; what the
//! routes are is said next to their handlers. The one rule: what can be taken from the program is not
//! said again: errors come from the functions that make them, answers from their types or rows, limits
//! from their constants, envelopes from the dialect of the path.
//!
//! The document is made of `serde_json` values, and of `schemars` where an answer is a type. A report
//! is a row of a table and a body is read member by member, so there is hardly a type for a crate like
//! utoipa to derive from, and its builders would only spell the same values in more words.

#![expect(
    clippy::indexing_slicing,
    reason = "the documents are our own, and a member that is absent is null"
)]

mod dialect;
mod document;
mod example;
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
    Member, Schema, any_object, anything, boolean, constant, instant, list, nullable, number,
    object, one_of, optional, reference, required, text, uuid, whole, word_of,
};
