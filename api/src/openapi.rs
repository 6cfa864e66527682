//! The routes of the api, as the OpenAPI document has them.
//!
//! What they are is said by the rows of commands and reports, and for public pages next to their handlers.

use crate::{manage, public, surfaces};
use runtime::openapi::Document;

/// Describes every route of the api.
pub fn describe(document: &mut Document) {
    manage::describe(document);
    surfaces::describe(document);
    public::describe(document);
}
