//! The document as one page for people, readable without a script.
//!
//! Owns the content of the page; `templates/docs.html` owns its look. The one rule: the page is
//! made from the document alone.

mod curl;
mod fields;
mod text;

use super::{example, operation::FORM, refusal};
use askama::Template;
use fields::Field;
use serde_json::Value;

/// The page's own style sheet, which its content security policy names by its hash.
pub(crate) const STYLE: &str = include_str!("../../../templates/docs.css");

/// The methods in the order in which a path shows them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[derive(Template)]
#[template(path = "docs.html")]
struct Page<'a> {
    title: &'a str,
    version: &'a str,
    about: String,
    style: &'static str,
    groups: Vec<Group<'a>>,
    /// The members of every error.
    error: Vec<Field>,
}

struct Group<'a> {
    name: &'a str,
    anchor: String,
    about: String,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    about: String,
    access: &'static str,
    parameters: Vec<Parameter<'a>>,
    body: Option<Body>,
    answers: Vec<Answer<'a>>,
    curl: String,
}

struct Parameter<'a> {
    name: &'a str,
    place: &'a str,
    required: bool,
    kind: String,
    rules: String,
    about: String,
}

struct Body {
    media_types: String,
    required: bool,
    fields: Vec<Field>,
    example: String,
}

struct Answer<'a> {
    status: &'a str,
    fulfilled: bool,
    about: String,
    headers: String,
    media_type: String,
    fields: Vec<Field>,
    example: String,
}

/// The page of a document. Its examples send requests to `base`.
pub(crate) fn render(document: &Value, base: &str) -> Result<String, askama::Error> {
    let info = &document["info"];
    let tags = document["tags"].as_array().into_iter().flatten();
    let page = Page {
        title: string(&info["title"]),
        version: string(&info["version"]),
        about: text::blocks(string(&info["description"])),
        style: STYLE,
        groups: tags.map(|tag| group(document, tag, base)).collect(),
        error: errors(document)
            .flat_map(|schema| fields::of(document, schema))
            .collect(),
    };
    page.render()
}

/// The schemas of errors, one for each dialect.
fn errors(document: &Value) -> impl Iterator<Item = &Value> {
    let schemas = document["components"]["schemas"].as_object();
    let named = schemas.into_iter().flatten();
    named
        .filter(|(name, _)| name.ends_with(refusal::ERROR))
        .map(|(_, schema)| schema)
}

fn group<'a>(document: &'a Value, tag: &'a Value, base: &str) -> Group<'a> {
    let name = string(&tag["name"]);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let operation = &methods[method];
            if operation["tags"][0] == name {
                operations.push(self::operation(document, (path, method), operation, base));
            }
        }
    }
    Group {
        name,
        anchor: name.to_ascii_lowercase().replace(' ', "-"),
        about: text::inline(string(&tag["description"])),
        operations,
    }
}

fn operation<'a>(
    document: &'a Value,
    (path, method): (&'a str, &str),
    operation: &'a Value,
    base: &str,
) -> Operation<'a> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let responses = operation["responses"].as_object().into_iter().flatten();
    let access = match operation["security"].as_array().map_or(0, Vec::len) {
        0 => "No token.",
        1 => "Needs a token.",
        _ => "Some parts need a token.",
    };
    Operation {
        id: string(&operation["operationId"]),
        method: method.to_ascii_uppercase(),
        path,
        summary: string(&operation["summary"]),
        about: text::blocks(string(&operation["description"])),
        access,
        parameters: parameters.map(|given| parameter(document, given)).collect(),
        body: operation
            .get("requestBody")
            .map(|given| body(document, given)),
        answers: responses
            .map(|(status, given)| answer(document, status, given))
            .collect(),
        curl: curl::command(document, (path, method), operation, base),
    }
}

fn parameter<'a>(document: &'a Value, parameter: &'a Value) -> Parameter<'a> {
    let parameter = example::resolve(document, parameter);
    let schema = &parameter["schema"];
    let items = if schema["items"].is_null() {
        schema
    } else {
        &schema["items"]
    };
    Parameter {
        name: string(&parameter["name"]),
        place: string(&parameter["in"]),
        required: parameter["required"] == true,
        kind: fields::kind(document, schema),
        rules: fields::rules(items),
        about: text::inline(string(&parameter["description"])),
    }
}

fn body(document: &Value, body: &Value) -> Body {
    let form = &body["content"][FORM]["schema"];
    let (schema, example) = if form.is_null() {
        let schema = &body["content"]["application/json"]["schema"];
        (schema, pretty(&example::of(document, schema)))
    } else {
        (form, example::form(document, form))
    };
    Body {
        media_types: media_types(body).join(", "),
        required: body["required"] == true,
        fields: fields::of(document, schema),
        example,
    }
}

fn answer<'a>(document: &'a Value, status: &'a str, answer: &'a Value) -> Answer<'a> {
    let answer = example::resolve(document, answer);
    let fulfilled = status.starts_with('2') || status.starts_with('3');
    let headers = answer["headers"].as_object().into_iter().flatten();
    let headers: Vec<&str> = headers.map(|(name, _)| name.as_str()).collect();
    let media_type = media_types(answer).concat();
    let schema = &answer["content"][&media_type]["schema"];
    let fields = fields::of(document, within_envelope(document, schema));
    let shown = !media_type.is_empty() && fulfilled;
    Answer {
        status,
        fulfilled,
        about: text::blocks(string(&answer["description"])),
        headers: headers.join(", "),
        media_type,
        // All errors have the same members, which the page shows once.
        fields: if fulfilled { fields } else { Vec::new() },
        example: if shown {
            pretty(&example::of(document, schema))
        } else {
            String::new()
        },
    }
}

/// The data of an answer: its only member that is not a constant. The page describes the envelope
/// once, at its beginning.
fn within_envelope<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let members = example::resolve(document, schema)["properties"].as_object();
    let members = members.into_iter().flat_map(serde_json::Map::values);
    let mut telling = members.filter(|member| member.get("const").is_none());
    match (telling.next(), telling.next()) {
        (Some(data), None) => data,
        _ => schema,
    }
}

fn media_types(content: &Value) -> Vec<String> {
    let types = content["content"].as_object().into_iter().flatten();
    types.map(|(name, _)| name.clone()).collect()
}

/// JSON on several lines; a text unchanged.
fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => format!("{value:#}"),
    }
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
