//! Describes the routes of the api in the OpenAPI document.
//!
//! Commands and reports are described by their rows, public pages next to their handlers.

use crate::{conversions, manage, public, surfaces};
use runtime::openapi::Document;

/// Describes every route of the api.
pub fn describe(document: &mut Document) {
    manage::describe(document);
    conversions::public::describe(document);
    surfaces::describe(document);
    public::describe(document);
}
