//! `GET /schemas` and `GET /schemas/{file}`: the JSON Schemas of the log's topics and event types.

use crate::{
    http::{ApiError, Prepared, cors},
    openapi::{Document, Operation, any_object, list, object, required, text, whole},
};
use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode},
    middleware::from_fn,
    response::Response,
    routing::get,
};
use schemas::events::json_schema::{Published, published};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

/// Clients see a new version after at most five minutes.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const SCHEMA: HeaderValue = HeaderValue::from_static("application/schema+json");

type Made = LazyLock<Texts>;

struct Texts {
    list: Prepared,
    files: BTreeMap<String, Prepared>,
}

/// The two routes.
pub(super) fn router() -> Router {
    let texts: Made = LazyLock::new(|| Texts::new(&published()));
    Router::new()
        .route("/schemas", get(list_schemas))
        .route("/schemas/{file}", get(get_schema))
        .layer(from_fn(cors::beacons))
        .with_state(Arc::new(texts))
}

impl Texts {
    fn new(schemas: &[Published]) -> Self {
        let mut files = BTreeMap::new();
        for schema in schemas {
            let prepared = Prepared::new(SCHEMA, format!("{:#}\n", schema.document));
            // The name without a version means the newest, which comes last.
            files.insert(format!("{}.json", schema.name), prepared.clone());
            files.insert(file(schema), prepared);
        }
        let entries: Vec<Value> = schemas.iter().map(entry).collect();
        let list = json!({ "schemas": entries }).to_string();
        Self {
            list: Prepared::new(JSON, list),
            files,
        }
    }
}

fn file(schema: &Published) -> String {
    format!("{}.v{}.json", schema.name, schema.version)
}

fn entry(schema: &Published) -> Value {
    json!({
        "name": schema.name,
        "version": schema.version,
        "path": format!("/schemas/{}", file(schema)),
    })
}

async fn list_schemas(State(texts): State<Arc<Made>>, headers: HeaderMap) -> Response {
    texts.list.answer(&headers, CACHE)
}

async fn get_schema(
    State(texts): State<Arc<Made>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(file) = path.map_err(|_| unknown())?;
    let text = texts.files.get(&file).ok_or_else(unknown)?;
    Ok(text.answer(&headers, CACHE))
}

fn unknown() -> ApiError {
    ApiError::not_found(
        "schema.not_found",
        "Schema not found; GET /schemas lists all.",
    )
}

/// Describes the two routes.
pub(super) fn describe(document: &mut Document, tag: &'static str) {
    let known = || text(usize::MAX).about("ETags of the client's copies; 304 if one matches.");
    let answers = |operation: Operation, about, media_type, schema| {
        operation
            .header_parameter("If-None-Match", known())
            .answers_as(StatusCode::OK, about, media_type, schema)
            .answers_nothing(StatusCode::NOT_MODIFIED, "The client's copy is current.")
            .answer_header("ETag", true, text(usize::MAX))
            .answer_header("Cache-Control", true, text(usize::MAX))
    };
    let entry = object([
        required(
            "name",
            text(usize::MAX)
                .example("page.viewed")
                .about("An event type, or a topic without its version."),
        ),
        required("version", whole(1..=i64::from(u16::MAX))),
        required(
            "path",
            text(usize::MAX).example("/schemas/page.viewed.v1.json"),
        ),
    ]);
    let all = Operation::new(Method::GET, "/schemas", tag, "list_schemas")
        .summary("Lists the JSON Schemas of the log's topics and event types.");
    document.add(answers(
        all,
        "The schemas.",
        "application/json",
        object([required("schemas", list(entry))]),
    ));
    let one = Operation::new(Method::GET, "/schemas/{file}", tag, "get_schema")
        .summary("A JSON Schema (2020-12) of an event type or of the values of a topic.")
        .path_parameter(
            "file",
            text(usize::MAX)
                .example("page.viewed.v1.json")
                .about("The name with its version, or without it for the newest version: `page.viewed.json`."),
        )
        .refuses([unknown()]);
    document.add(answers(
        one,
        "The schema.",
        "application/schema+json",
        any_object(),
    ));
}
