//! The schemas of a dialect's answers and errors.

use super::{Member, schema::Schema};
use crate::http::{ApiError, Dialect};
use axum::http::StatusCode;

/// A dialect that the document can describe. Its schemas must match what the [`Dialect`] writes.
pub trait Described: Dialect {
    /// Prefix of the names of its shared errors; empty for at most one dialect.
    fn prefix(&self) -> &'static str;

    /// A paragraph about all of its answers.
    fn about(&self) -> &'static str;

    /// The schema of an answer with this status around `data`.
    fn data_schema(&self, status: StatusCode, data: Schema) -> Schema;

    /// The schema of an answer with members beside `data`.
    fn data_schema_beside(&self, status: StatusCode, data: Schema, beside: Vec<Member>) -> Schema {
        let _ = beside;
        self.data_schema(status, data)
    }

    /// The schema of an answer that has nothing to return.
    fn done_schema(&self) -> Schema;

    /// The schema of every error.
    fn error_schema(&self) -> Schema;

    /// Distinguishes these errors, all of one status, within [`error_schema`](Self::error_schema).
    fn narrowed(&self, errors: &[ApiError]) -> Schema;
}
