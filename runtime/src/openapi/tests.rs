//! The vocabulary, the document and its page, with made-up routes.

use super::*;
use crate::{
    http::{ApiError, Surfaces},
    plain_dialect::Plain,
    throttle::Limit,
};
use axum::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

const LIMIT: Limit = Limit {
    route: "things.add",
    count: 5,
    seconds: 60,
};

/// A thing <of> ours.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Thing {
    /// Its own name.
    full_name: String,
    parts: Vec<Part>,
    note: Option<String>,
}

#[derive(JsonSchema, Serialize)]
struct Part {
    size: u8,
}

fn document() -> Value {
    let mut document = Document::new(Surfaces::new(&Plain));
    document.tag("Things", "About <things>.");
    let thing = document.type_of::<Thing>();
    let body = object([
        required("name", text(20).with("minLength", 1).example("a 'thing'")),
        nullable("kind", word_of(&["small", "large"])),
        optional("count", whole(1..=9).default(3)),
    ]);
    document.add(
        Operation::new(Method::POST, "/things/{id}", "Things", "add_thing")
            .summary("Adds a thing.")
            .about("As `POST` does.")
            .access(Access::Bearer)
            .throttled(Throttled::Always, LIMIT, "user")
            .path_parameter("id", uuid().about("Which."))
            .query_parameter("zone", text(9))
            .body(body)
            .answers(StatusCode::CREATED, "The thing.", thing)
            .refuses([ApiError::conflict("things.taken", "It is <taken>.")]),
    );
    document.add(
        Operation::new(Method::GET, "/things", "Things", "list_things")
            .summary("Lists things.")
            .query_parameter("zone", text(9))
            .required_query_parameter("of", word_of(&["me", "you"]))
            .answers_as(StatusCode::OK, "A file.", "text/csv", text(usize::MAX)),
    );
    document.finish()
}

#[test]
fn consequences_of_a_property_are_in_the_document() {
    let document = document();
    let add = &document["paths"]["/things/{id}"]["post"];
    let statuses: Vec<&String> = add["responses"].as_object().unwrap().keys().collect();
    let expected = [
        "201", "400", "401", "408", "409", "413", "414", "415", "429", "431", "500",
    ];
    assert_eq!(statuses, expected);
    assert_eq!(add["security"], json!([{ "bearer": [] }]));
    assert_eq!(
        add["description"],
        "As `POST` does.\n\nAt most 5 in a minute for each user."
    );
    let list = &document["paths"]["/things"]["get"];
    let statuses: Vec<&String> = list["responses"].as_object().unwrap().keys().collect();
    assert_eq!(statuses, ["200", "414", "431", "500"]);
    assert_eq!(list["security"], json!([]));
}

/// The errors that come before any route look the same everywhere.
#[test]
fn pages_are_beside_the_answers_of_programs_and_never_in_errors_before_routes() {
    let mut document = Document::new(Surfaces::new(&Plain));
    let operation = Operation::new(Method::GET, "/x", "Things", "open")
        .summary("Opens it.")
        .answers_as(StatusCode::GONE, "Over.", "application/json", text(9))
        .refuses([ApiError::from_status(StatusCode::NOT_FOUND)]);
    document.add(
        operation
            .clone()
            .also_as_pages([StatusCode::GONE, StatusCode::NOT_FOUND]),
    );
    document.add(operation.by(Method::DELETE).refuses_with_pages());
    let document = document.finish();
    let opened = &document["paths"]["/x"]["get"]["responses"];
    for status in ["404", "410"] {
        let content = opened[status]["content"].as_object().unwrap();
        let kinds: Vec<&String> = content.keys().collect();
        assert_eq!(kinds, ["application/json", "text/html"], "{status}");
    }
    for method in ["get", "delete"] {
        let responses = &document["paths"]["/x"][method]["responses"];
        assert_eq!(
            responses["414"]["$ref"],
            "#/components/responses/PlainUriTooLong"
        );
        assert_eq!(
            responses["431"]["$ref"],
            "#/components/responses/HeadTooLarge"
        );
    }
    let bare = &document["components"]["responses"]["HeadTooLarge"];
    assert_eq!(bare.get("content"), None);
}

#[test]
fn errors_are_those_of_the_functions_that_make_them() {
    let document = document();
    let responses = &document["paths"]["/things/{id}"]["post"]["responses"];
    let shared = "#/components/responses/PlainUnauthorized";
    assert_eq!(responses["401"]["$ref"], shared);
    let refused = &document["components"]["responses"]["PlainUnauthorized"];
    let schema = &refused["content"]["application/json"]["schema"]["allOf"];
    assert_eq!(schema[0]["$ref"], "#/components/schemas/PlainError");
    assert_eq!(schema[1]["x-codes"], json!(["P401"]));
    assert!(refused["headers"]["WWW-Authenticate"].is_object());

    let taken = &responses["409"];
    assert_eq!(taken["description"], "- `things.taken`: It is <taken>.");
    let example = &taken["content"]["application/json"]["examples"]["things.taken"]["value"];
    assert_eq!(example["errors"][0]["message"], "It is <taken>.");
    assert!(responses["429"]["$ref"].is_string());
    let spent = &document["components"]["responses"]["PlainRateLimited"]["headers"];
    assert!(spent["Retry-After"].is_object() && spent["X-RateLimit-Reset"].is_object());
}

#[test]
fn types_have_their_serialized_form_and_shared_parameters_occur_once() {
    let document = document();
    let components = &document["components"];
    let thing = &components["schemas"]["Thing"];
    assert_eq!(thing["required"], json!(["fullName", "parts", "note"]));
    assert_eq!(
        thing["properties"]["note"]["type"],
        json!(["string", "null"])
    );
    let items = &thing["properties"]["parts"]["items"]["$ref"];
    assert_eq!(items, "#/components/schemas/Part");
    let body = &document["paths"]["/things/{id}"]["post"]["requestBody"];
    let kind = &body["content"]["application/json"]["schema"]["properties"]["kind"];
    assert_eq!(
        *kind,
        json!({ "type": ["string", "null"], "enum": ["small", "large", null] })
    );
    let names: Vec<&String> = components["parameters"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(names, ["zone"]);
    let add = &document["paths"]["/things/{id}"]["post"]["parameters"];
    assert_eq!(add[0]["name"], "id");
    assert_eq!(add[0]["description"], "Which.");
    assert_eq!(add[1]["$ref"], "#/components/parameters/zone");
}

#[test]
fn the_same_by_another_method_has_an_id_of_its_own() {
    let one = Operation::new(Method::PATCH, "/things", "Things", "leave");
    assert_eq!(one.by(Method::POST).id, "leave_by_post");
    assert_eq!(one.by(Method::POST).method, Method::POST);
}

#[test]
fn the_page_shows_the_whole_document_escaped() {
    let page = page::render(&document(), "http://here.example").unwrap();
    for part in [
        "About &lt;things&gt;.",
        "As <code>POST</code> does.",
        "It is &lt;taken&gt;.",
        "<li><code>error.bad_request</code>: ",
        "<code>name</code> <span class=\"required\">required</span>",
        "text; not empty; at most 20 characters",
        "text or null; one of small, large",
        "whole number; default 3; from 1 to 9",
        "list of objects",
        "class=\"in-1\"><code>size</code>",
        "Headers: X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<taken>") && !page.contains("<things>"));
}

#[test]
fn commands_can_be_pasted_into_a_shell() {
    let page = page::render(&document(), "http://here.example").unwrap();
    let shown = html_escape::decode_html_entities(&page);
    for command in [
        "curl -X POST 'http://here.example/things/0192e000-0000-7000-8000-00000000000a' \\\n  \
         -H \"Authorization: Bearer $TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n  \
         -d '{\"name\":\"a '\\''thing'\\''\"}'\n",
        "curl 'http://here.example/things?of=me'",
    ] {
        let command = command.trim_end();
        assert!(shown.contains(command), "{command}");
    }
}

#[test]
fn a_form_has_its_own_type_and_its_command_sends_it() {
    let mut document = Document::new(Surfaces::new(&Plain));
    document.tag("Things", "All things.");
    let operation = Operation::new(Method::POST, "/x", "Things", "open")
        .summary("Opens it.")
        .form_body(object([required("password", text(9).example("a & b"))]))
        .answers_nothing(StatusCode::SEE_OTHER, "There.")
        .answers_nothing(StatusCode::NO_CONTENT, "Nowhere.")
        .header_of(StatusCode::SEE_OTHER, "Location", text(9));
    document.add(operation);
    let document = document.finish();
    let open = &document["paths"]["/x"]["post"];
    let content = open["requestBody"]["content"].as_object().unwrap();
    let kinds: Vec<&String> = content.keys().collect();
    assert_eq!(kinds, ["application/x-www-form-urlencoded"]);
    let responses = &open["responses"];
    assert_eq!(responses["303"]["headers"]["Location"]["required"], true);
    assert!(responses["204"]["headers"].get("Location").is_none());
    assert!(responses["408"].is_object() && responses["413"].is_object());
    let page = page::render(&document, "http://here.example").unwrap();
    let shown = html_escape::decode_html_entities(&page);
    let command = "curl -X POST 'http://here.example/x' \\\n  -d 'password=a+%26+b'";
    assert!(shown.contains(command), "{shown}");
}

#[test]
fn an_example_keeps_the_rules_of_its_schema() {
    let nothing = json!({});
    let of = |schema: Schema| example::of(&nothing, &schema.into());
    assert_eq!(of(constant(7)), 7);
    assert_eq!(of(word_of(&["a", "b"])), "a");
    assert_eq!(of(whole(5..=9)), 5);
    assert_eq!(of(boolean().or_null()), true);
    assert_eq!(of(list(number(0.5..=1.0))), json!([0.5]));
    assert_eq!(of(one_of([constant("x"), constant("y")])), "x");
    let thing = object([
        required("at", instant()),
        optional("left", text(9)),
        optional("shown", text(9).example("s")),
    ]);
    assert_eq!(
        of(thing),
        json!({ "at": "2026-02-20T10:30:00.123Z", "shown": "s" })
    );
    assert_eq!(of(anything()), Value::Null);
}
