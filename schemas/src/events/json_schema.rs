//! Generates the JSON Schema of every event type, as checked in under `json/`.

use super::{Body, Kind};
use crate::{
    directory,
    topics::{DIRECTORY, EVENTS},
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// All documents in a fixed order: file name and content.
#[must_use]
pub fn documents() -> Vec<(String, Value)> {
    let mut documents: Vec<(String, Value)> = Kind::ALL
        .into_iter()
        .map(|kind| {
            (
                format!("{}.v{}.json", kind.name(), kind.version()),
                of_event(kind),
            )
        })
        .collect();
    documents.push((
        "directory.v1.json".to_owned(),
        root::<directory::Entry>().to_value(),
    ));
    documents
}

/// A schema as clients see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// An event type, or a topic without its version.
    pub name: String,
    /// The version of the type or topic.
    pub version: u16,
    /// The schema.
    pub document: Value,
}

/// The schemas of all event types in their newest version, and of the values of the topics that
/// have a schema. Dead letters have none.
#[must_use]
pub fn published() -> Vec<Published> {
    let types = Kind::ALL.into_iter().map(|kind| Published {
        name: kind.name().to_owned(),
        version: kind.version(),
        document: of_event(kind),
    });
    let mut directory = root::<directory::Entry>().to_value();
    if let Some(object) = directory.as_object_mut() {
        object.insert("title".to_owned(), json!(DIRECTORY));
    }
    let topics = [(EVENTS, events_topic()), (DIRECTORY, directory)];
    let topics = topics.into_iter().filter_map(|(topic, document)| {
        let (name, version) = topic.rsplit_once(".v")?;
        Some(Published {
            name: name.to_owned(),
            version: version.parse().ok()?,
            document,
        })
    });
    types.chain(topics).collect()
}

/// A record of the events topic is one of the types. The document contains their schemas, each with
/// an id of its own, so that a validator needs no second file.
fn events_topic() -> Value {
    let mut types = Map::new();
    let mut choices = Vec::new();
    for kind in Kind::ALL {
        let id = format!("{}.v{}.json", kind.name(), kind.version());
        let mut schema = of_event(kind);
        if let Some(object) = schema.as_object_mut() {
            object.insert("$id".to_owned(), json!(id));
        }
        types.insert(kind.name().to_owned(), schema);
        choices.push(json!({ "$ref": id }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": EVENTS,
        "description": "A record of the events topic: one of the event types.",
        "oneOf": choices,
        "$defs": types,
    })
}

/// The schema of a record of that type in its newest version.
#[must_use]
pub fn of_event(kind: Kind) -> Value {
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
