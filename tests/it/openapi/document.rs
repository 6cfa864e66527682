//! The document alone: it meets the requirements of OpenAPI 3.1, and every reference resolves.

use super::checker::Checker;
use jsonschema::draft202012;
use kit::System;
use serde_json::Value;
use std::collections::BTreeSet;

/// Every value inside a value, with its pointer.
fn walk<'a>(value: &'a Value, pointer: &str, found: &mut Vec<(String, &'a Value)>) {
    found.push((pointer.to_owned(), value));
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(member, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

fn everything(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    walk(document, "", &mut found);
    found
}

/// The schemas of the document: components, and those of parameters, headers and contents.
fn schemas(document: &Value) -> Vec<(String, &Value)> {
    let of = |(pointer, _): &(String, &Value)| {
        let (before, name) = pointer.rsplit_once('/').unwrap_or_default();
        before == "/components/schemas" || (name == "schema" && !before.ends_with("/properties"))
    };
    everything(document).into_iter().filter(of).collect()
}

#[test]
fn every_operation_has_what_openapi_requires() {
    let document = footfall::openapi::document();
    assert_eq!(document["openapi"], "3.1.0");
    for member in ["title", "version", "description"] {
        assert!(document["info"][member].is_string(), "{member}");
    }
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with('/'), "{path}");
        for (method, operation) in methods.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(
                ["get", "post", "put", "patch", "delete"].contains(&method.as_str()),
                "{what}"
            );
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap()),
                "{what}"
            );
            let summary = operation["summary"].as_str().unwrap();
            assert!(
                summary.ends_with('.') && !summary.contains('\n'),
                "{what}: {summary}"
            );
            used.insert(operation["tags"][0].as_str().unwrap());
            let responses = operation["responses"].as_object().unwrap();
            // A redirect is a success too.
            let succeeds = |status: &String| status.starts_with(['2', '3']);
            assert!(responses.keys().any(succeeds), "{what}");
            for (status, response) in responses {
                assert!(
                    status
                        .parse::<u16>()
                        .is_ok_and(|status| (200..600).contains(&status))
                );
                let known = response["description"].is_string() || response["$ref"].is_string();
                assert!(known, "{what} {status}");
            }
            check_parameters(&document, path, operation);
        }
    }
    assert_eq!(
        tags, used,
        "a tag without an operation, or an operation without a known tag"
    );
}

fn check_parameters(document: &Value, path: &str, operation: &Value) {
    let resolve = |value: &Value| match value["$ref"].as_str() {
        Some(to) => document.pointer(&to[1..]).unwrap().clone(),
        None => value.clone(),
    };
    let parameters: Vec<Value> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(resolve)
        .collect();
    let in_path: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
    let mut names = BTreeSet::new();
    let mut of_path = BTreeSet::new();
    for parameter in &parameters {
        let (name, place) = (
            parameter["name"].as_str().unwrap(),
            parameter["in"].as_str().unwrap(),
        );
        assert!(names.insert((name, place)), "{path}: {name} twice");
        assert!(
            parameter["schema"].is_object() && parameter["required"].is_boolean(),
            "{path}: {name}"
        );
        if place == "path" {
            assert_eq!(parameter["required"], true, "{path}: {name}");
            of_path.insert(name);
        }
    }
    assert_eq!(of_path, in_path, "{path}");
}

#[test]
fn every_reference_resolves_and_every_component_is_referenced() {
    let document = footfall::openapi::document();
    let mut referred = BTreeSet::new();
    for (pointer, value) in everything(&document) {
        if let Some(to) = value.get("$ref").and_then(Value::as_str) {
            let to = to
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{pointer}: {to}"));
            assert!(document.pointer(to).is_some(), "{pointer}: {to}");
            referred.insert(to.to_owned());
        }
    }
    for family in ["schemas", "responses", "headers", "parameters"] {
        for name in document["components"][family].as_object().unwrap().keys() {
            let pointer = format!("/components/{family}/{name}");
            assert!(referred.contains(&pointer), "nothing refers to {pointer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_schema_is_valid_and_accepts_its_own_examples() {
    let system = System::start().await;
    let checker = Checker::new(&system);
    let document = &checker.document;
    let mut tried = 0;
    for (pointer, schema) in schemas(document) {
        if let Err(error) = draft202012::meta::validate(schema) {
            panic!("{pointer}: {error}");
        }
    }
    for (pointer, value) in everything(document) {
        let given = match pointer.rsplit_once('/') {
            // The examples of a schema.
            Some((schema, "examples")) if value.is_array() => {
                let values = value.as_array().unwrap().iter().collect();
                Some((document.pointer(schema).unwrap(), values))
            }
            // The examples of a content, by name.
            Some((content, "examples")) => {
                let schema = &document.pointer(content).unwrap()["schema"];
                let values: Vec<&Value> = value
                    .as_object()
                    .unwrap()
                    .values()
                    .map(|example| &example["value"])
                    .collect();
                Some((schema, values))
            }
            Some((schema, "default")) => Some((document.pointer(schema).unwrap(), vec![value])),
            _ => None,
        };
        let Some((schema, values)) = given else {
            continue;
        };
        let validator = checker.validator(schema);
        for example in values {
            tried += 1;
            if let Err(error) = validator.validate(example) {
                panic!("{pointer}: {error}");
            }
        }
    }
    assert!(tried > 100, "{tried}");
    system.finish().await;
}
