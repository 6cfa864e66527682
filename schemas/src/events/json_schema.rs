//! Generates the JSON Schema of every event type, as checked in under `json/`.

use super::{Body, Kind};
use crate::directory;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

/// All documents in a fixed order: file name and content.
#[must_use]
pub fn documents() -> Vec<(String, Value)> {
    let mut documents: Vec<(String, Value)> = Kind::ALL
        .into_iter()
        .map(|kind| {
            (
                format!("{}.v{}.json", kind.name(), kind.version()),
                event(kind),
            )
        })
        .collect();
    documents.push((
        "directory.v1.json".to_owned(),
        root::<directory::Entry>().to_value(),
    ));
    documents
}

fn event(kind: Kind) -> Value {
    let mut schema = Body::schema(kind).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), json!(kind.name()));
        if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("type".to_owned(), json!({ "const": kind.name() }));
            properties.insert("version".to_owned(), json!({ "const": kind.version() }));
        }
    }
    schema
}

pub(super) fn root<T: JsonSchema>() -> schemars::Schema {
    SchemaGenerator::new(SchemaSettings::draft2020_12()).into_root_schema_for::<T>()
}
