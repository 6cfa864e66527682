//! The OpenAPI document of the whole program, merged from the descriptions of its services.
//!
//! It is checked in as `docs/openapi.json`, so that a review shows every change that clients see.

use runtime::openapi::Document;
use serde_json::Value;

/// Builds the document.
#[must_use]
pub fn document() -> Value {
    let mut document = Document::new(dialects::described());
    api::openapi::describe(&mut document);
    ingest::openapi::describe(&mut document);
    runtime::service::describe(&mut document);
    document.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_document_is_up_to_date() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let text = format!("{:#}\n", document());
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(file, &text).unwrap();
        }
        let checked_in = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            checked_in == text,
            "{file} is not up to date; run UPDATE_OPENAPI=1 cargo test --workspace --lib openapi and read the difference"
        );
    }
}
