//! Builds the document from the operations of several services.

use super::{
    Described,
    headers::header,
    operation::Operation,
    refusal::{self, Shared},
    schema::{self, Schema},
};
use crate::http::Surfaces;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// What `http` does with each request; the first paragraph, before the dialects' own.
const ABOUT: &str = "Every answer has an `X-Request-Id` header, a UUID that joins it to its log lines. A request may send its own.";

/// Rules of every route; the paragraphs after the dialects' own.
const ABOUT_REQUESTS: &str = "\
Bodies are JSON objects, sent as `application/json`, as `text/plain` or without a type, except the form of a password. `null` is the same as absent; in a PATCH it \
clears what can be null, and members that it omits stay. Unknown members are ignored. Lengths count Unicode scalar values. \
A text must not contain U+0000. Times are RFC 3339 in UTC.

A burst of a whole limit is allowed, then it refills evenly. 429 and 503 are safe to retry after the seconds in \
`Retry-After`: a repeat has no further effect.

An unknown path is answered 404, a method that the path does not support 405 with `Allow`, a path and query of more than 8 KiB \
414, a head of more than 32 KiB or 100 fields 431 without a body, a query of more than 100 parameters 400, a request without exactly one valid `Host` 400. Errors, and answers to a request with a Bearer, have \
`Cache-Control: private, no-store` unless a route says otherwise. Bad and missing tokens spend a limit of their address, 60 a minute; then they \
are answered 429.";

/// A document under construction.
#[derive(Debug)]
pub struct Document {
    surfaces: Surfaces<dyn Described>,
    tags: Vec<Value>,
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    responses: Map<String, Value>,
    shared: Vec<Shared>,
    types: SchemaGenerator,
}

impl Document {
    /// A document without operations. Each operation is described in the dialect of its path.
    #[must_use]
    pub fn new(surfaces: Surfaces<dyn Described>) -> Self {
        let settings = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            });
        let errors = surfaces.dialects();
        let errors = errors.map(|dialect| (refusal::error_name(dialect), dialect.error_schema()));
        Self {
            tags: Vec::new(),
            paths: Map::new(),
            schemas: errors.map(|(name, schema)| (name, schema.into())).collect(),
            responses: Map::new(),
            shared: refusal::SHARED.to_vec(),
            types: settings.into_generator(),
            surfaces,
        }
    }

    /// Begins a family of operations. The document shows families in this order.
    pub fn tag(&mut self, name: &'static str, about: &str) {
        self.tags
            .push(json!({ "name": name, "description": about }));
    }

    /// The schema of a type's serialized form.
    pub fn type_of<T: JsonSchema>(&mut self) -> Schema {
        self.types.subschema_for::<T>().into()
    }

    /// Stores a schema under a name and returns a reference to it.
    pub fn name(&mut self, name: &str, schema: Schema) -> Schema {
        self.schemas.insert(name.to_owned(), schema.into());
        schema::reference(name)
    }

    /// Names the answer with exactly these errors of one status, sorted by code. Operations then
    /// refer to that name.
    pub fn share(&mut self, name: &'static str, codes: &'static [&'static str]) {
        self.shared.push((name, codes));
    }

    /// Adds an operation.
    pub fn add(&mut self, operation: Operation) {
        let method = operation.method.as_str().to_ascii_lowercase();
        let path = operation.path.clone();
        let dialect = self.surfaces.of(&path);
        let operation = operation.into_value(dialect, &self.shared, &mut self.responses);
        self.paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
    }

    /// The document.
    #[must_use]
    pub fn finish(mut self) -> Value {
        self.schemas.extend(self.types.take_definitions(true));
        let parameters = share_parameters(&mut self.paths);
        let spoken = self.surfaces.dialects().map(Described::about);
        let about: Vec<&str> = [ABOUT]
            .into_iter()
            .chain(spoken)
            .chain([ABOUT_REQUESTS])
            .collect();
        json!({
            "openapi": "3.1.0",
            "info": { "title": "Footfall", "version": env!("CARGO_PKG_VERSION"), "description": about.join("\n\n") },
            "servers": [{ "url": "/", "description": "The server of this document." }],
            "tags": self.tags,
            "paths": self.paths,
            "components": {
                "schemas": self.schemas,
                "responses": self.responses,
                "parameters": parameters,
                "headers": headers(),
                "securitySchemes": {
                    "bearer": {
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "JWT",
                        "description": "A token whose `sub` is the user: `Authorization: Bearer <token>`. An API key is sent the same way.",
                    },
                    "apiKey": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "X-API-Key",
                        "description": "An API key of a workspace, for the routes of workspaces.",
                    },
                },
            },
        })
    }
}

/// Moves parameters of several operations to the components, and refers to them there. If different
/// parameters have one name, only the first of them moves.
fn share_parameters(paths: &mut Map<String, Value>) -> Map<String, Value> {
    let operations = || {
        paths
            .values()
            .filter_map(Value::as_object)
            .flat_map(Map::values)
    };
    let of = |operation: &Value| {
        operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let all: Vec<Value> = operations().flat_map(of).collect();
    let mut shared = Map::new();
    for parameter in &all {
        let uses = all.iter().filter(|other| *other == parameter).count();
        // A parameter of a single operation is easier to read there.
        if let (2.., Some(name)) = (uses, parameter["name"].as_str()) {
            shared.entry(name).or_insert_with(|| parameter.clone());
        }
    }
    let operations = paths.values_mut().filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Map::values_mut) {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            if shared.get(name) == Some(&*parameter) {
                *parameter = json!({ "$ref": format!("#/components/parameters/{name}") });
            }
        }
    }
    shared
}

/// The headers that operations refer to.
fn headers() -> Value {
    let whole = |about: &str| schema::whole(0..=i64::MAX).about(about);
    let told = |schema| header(true, schema);
    // Limits can be switched off, so these headers are optional.
    let perhaps = |schema| header(false, schema);
    json!({
        "X-Request-Id": told(schema::uuid().about(
            "The correlation id: the request's own `X-Request-Id` if that is a UUID, otherwise a new one.",
        )),
        "Retry-After": told(whole("Seconds after which to retry.")),
        "WWW-Authenticate": told(schema::constant("Bearer").about("The required authentication scheme.")),
        "X-RateLimit-Limit": perhaps(whole("How many requests the limit allows at once.")),
        "X-RateLimit-Remaining": perhaps(whole("How many requests remain.")),
        "X-RateLimit-Reset": perhaps(whole("When the whole limit is available again, in seconds since 1970.")),
    })
}
