//! The routes of every binary besides its own: `/`, the state of the process, the document, the schemas.
//!
//! Uses `http` and `openapi`, which do not know these routes.

pub mod docs;
pub mod health;
pub mod home;
mod json_schemas;

use crate::openapi::Document;

/// Describes these routes.
pub fn describe(document: &mut Document) {
    const TAG: &str = "Service";
    document.tag(TAG, "The state of the program, and its documentation.");
    home::describe(document, TAG);
    health::describe(document, TAG);
    docs::describe(document, TAG);
    json_schemas::describe(document, TAG);
}
