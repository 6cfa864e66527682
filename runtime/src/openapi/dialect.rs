//! How a dialect's answers and errors look as schemas.

use super::schema::Schema;
use crate::http::{ApiError, Dialect};
use axum::http::StatusCode;

/// A dialect that the document can describe. What it says must be what the [`Dialect`] writes.
pub trait Described: Dialect {
    /// What begins the names of its shared errors; empty for at most one dialect.
    fn prefix(&self) -> &'static str;

    /// What the document says about all of its answers, in one paragraph.
    fn about(&self) -> &'static str;

    /// An answer with this status around its data.
    fn data_schema(&self, status: StatusCode, data: Schema) -> Schema;

    /// An answer that has nothing to return.
    fn done_schema(&self) -> Schema;

    /// Every error.
    fn error_schema(&self) -> Schema;

    /// What tells these errors, all of one status, from others of [`error_schema`](Self::error_schema).
    fn narrowed(&self, errors: &[ApiError]) -> Schema;
}
