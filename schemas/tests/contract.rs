//! Compares the published examples and the checked-in JSON Schema with the types.
//!
//! `UPDATE_SCHEMAS=1 cargo test --workspace --test contract` regenerates the documents. A change that removes
//! something from readers still fails, because the test compares with the previously checked-in
//! version.

#![expect(clippy::panic, reason = "tests fail by panicking")]

use schemas::{Event, Kind, ReadError, events::json_schema};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::PathBuf};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn example(kind: Kind) -> String {
    let path = folder("examples").join(format!("{}.v{}.json", kind.name(), kind.version()));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_type_has_an_example_that_reads_and_writes_back_unchanged() {
    for kind in Kind::ALL {
        let text = example(kind);
        let event = Event::from_bytes(text.as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", kind.name()));
        assert_eq!(event.body.kind(), kind);
        let written: Value = serde_json::from_slice(&event.to_bytes().unwrap()).unwrap();
        let given: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written, given, "{}", kind.name());
    }
}

#[test]
fn members_of_later_builds_are_ignored() {
    for kind in Kind::ALL {
        let mut value: Value = serde_json::from_str(&example(kind)).unwrap();
        value["added_later"] = json!({"deep": [1, 2]});
        value["body"]["added_later"] = json!("x");
        let event = Event::from_bytes(value.to_string().as_bytes()).unwrap();
        assert_eq!(event, Event::from_bytes(example(kind).as_bytes()).unwrap());
    }
}

#[test]
fn unknown_types_and_versions_are_distinct_from_malformed_records() {
    let mut value: Value = serde_json::from_str(&example(Kind::PageViewed)).unwrap();
    value["version"] = json!(2);
    assert!(matches!(
        Event::from_bytes(value.to_string().as_bytes()),
        Err(ReadError::UnknownVersion {
            name: "page.viewed",
            version: 2,
            newest: 1
        })
    ));
    // Later builds may change a later version's body in ways that this build cannot parse.
    value["body"] = json!([]);
    assert!(matches!(
        Event::from_bytes(value.to_string().as_bytes()),
        Err(ReadError::UnknownVersion { .. })
    ));
    value["type"] = json!("page.printed");
    assert!(
        matches!(Event::from_bytes(value.to_string().as_bytes()), Err(ReadError::UnknownType(name)) if name == "page.printed")
    );
    for malformed in [
        "",
        "{",
        "null",
        "[]",
        "{\"type\":\"page.viewed\",\"version\":1}",
        "\u{0}",
    ] {
        assert!(
            matches!(
                Event::from_bytes(malformed.as_bytes()),
                Err(ReadError::Malformed(_))
            ),
            "{malformed:?}"
        );
    }
}

#[test]
fn the_checked_in_schema_matches_the_types_and_removes_nothing() {
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    let mut names = BTreeSet::new();
    for (name, document) in json_schema::documents() {
        let path = folder("json").join(&name);
        names.insert(name.clone());
        let checked_in = fs::read_to_string(&path).ok();
        if let Some(text) = &checked_in {
            let before: Value = serde_json::from_str(text).unwrap();
            let broken = breaking_changes(&before, &document);
            assert!(
                broken.is_empty(),
                "{name}: {broken:#?}; raise the version of the type instead"
            );
        }
        let text = format!("{document:#}\n");
        if update {
            fs::write(&path, text).unwrap();
        } else {
            assert_eq!(
                checked_in.as_deref(),
                Some(text.as_str()),
                "{name} is not up to date; run UPDATE_SCHEMAS=1 cargo test --workspace --test contract"
            );
        }
    }
    for file in fs::read_dir(folder("json")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            names.contains(&name),
            "{name} is a published schema without a type"
        );
    }
}

/// The guarantees of `before` that `after` breaks for readers: members removed, types changed,
/// members no longer required of writers, members newly required of old records, enum values
/// removed.
fn breaking_changes(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("$", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    for word in [
        "type", "const", "format", "pattern", "$ref", "minimum", "maximum",
    ] {
        if before.get(word) != after.get(word) {
            found.push(format!(
                "{path}.{word}: {:?} -> {:?}",
                before.get(word),
                after.get(word)
            ));
        }
    }
    let required = |value: &Value| -> BTreeSet<String> {
        value["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    for name in required(before).symmetric_difference(&required(after)) {
        found.push(format!("{path}: whether {name} is required changed"));
    }
    for group in ["properties", "$defs"] {
        for (name, old) in before[group].as_object().into_iter().flatten() {
            match after[group].get(name) {
                Some(new) => compare(&format!("{path}.{group}.{name}"), old, new, found),
                None => found.push(format!("{path}.{group}.{name} is gone")),
            }
        }
    }
    for group in ["enum", "oneOf", "anyOf"] {
        let old = before[group].as_array().map_or(&[][..], Vec::as_slice);
        let new = after[group].as_array().map_or(&[][..], Vec::as_slice);
        for value in old {
            if !new.iter().any(|candidate| same_variant(value, candidate)) {
                found.push(format!("{path}.{group} lost {value}"));
            }
        }
    }
}

/// Variants are equal if they agree in everything but their descriptions and added members.
fn same_variant(old: &Value, new: &Value) -> bool {
    let mut found = Vec::new();
    if old.is_object() && new.is_object() {
        compare("", old, new, &mut found);
        found.is_empty()
    } else {
        old == new
    }
}

/// Breaks a schema in one way.
type Break = fn(&mut Value);

#[test]
fn each_breaking_change_is_detected_and_additions_are_allowed() {
    let (_, before) = json_schema::documents().remove(0);
    assert_eq!(breaking_changes(&before, &before), Vec::<String>::new());

    let mut added = before.clone();
    added["properties"]["extra"] = json!({"type": "string"});
    assert_eq!(breaking_changes(&before, &added), Vec::<String>::new());

    let breaks: [(&str, Break); 5] = [
        ("a member gone", |schema| {
            schema["properties"]
                .as_object_mut()
                .unwrap()
                .remove("event_id");
        }),
        ("a type changed", |schema| {
            schema["properties"]["producer"]["type"] = json!("integer");
        }),
        ("newly required", |schema| {
            schema["required"]
                .as_array_mut()
                .unwrap()
                .push(json!("visitor"));
        }),
        ("no longer required", |schema| {
            schema["required"].as_array_mut().unwrap().pop();
        }),
        ("an enum value gone", |schema| {
            let classes = &mut schema["$defs"]["SourceClass"];
            let list = if classes["oneOf"].is_array() {
                &mut classes["oneOf"]
            } else {
                &mut classes["enum"]
            };
            list.as_array_mut().unwrap().pop();
        }),
    ];
    for (what, change) in breaks {
        let mut after = before.clone();
        change(&mut after);
        assert!(
            !breaking_changes(&before, &after).is_empty(),
            "{what} was not detected"
        );
    }
}
