//! A made-up body: its declaration both refuses values and describes them in the document.

use super::*;
use serde_json::json;

static NAME: Member<Text> = Member::new("name", Text(5))
    .required()
    .about("What it is called.")
    .example(|| json!("Ada"));
static SIZE: Member<Whole> = Member::new("size", Whole(1..=9));
static KIND: Member<OneOf> = Member::new("kind", OneOf(&["small", "large"]));
static SHARE: Member<Number> = Member::new("share", Number(0.0..=1.0));
static OPEN: Member<Flag> = Member::new("open", Flag(Some(true)));
static OWNER: Member<Id> = Member::new("owner", Id);

#[derive(Debug, PartialEq)]
struct Thing {
    name: String,
    size: Option<i64>,
    kind: Option<String>,
    share: Option<f64>,
    open: Option<bool>,
    has_owner: bool,
}

impl Body for Thing {
    const MEMBERS: &'static [&'static dyn Declared] = &[&NAME, &SIZE, &KIND, &SHARE, &OPEN, &OWNER];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NAME.read(fields).unwrap_or_default().to_owned(),
            size: SIZE.read(fields),
            kind: KIND.read(fields).map(str::to_owned),
            share: SHARE.read(fields),
            open: OPEN.read(fields),
            has_owner: OWNER.read(fields).is_some(),
        }
    }
}

fn details(body: &Value) -> Vec<String> {
    match read::<Thing>(body.as_object().unwrap()) {
        Ok(_) => Vec::new(),
        Err(error) => error.details,
    }
}

#[test]
fn a_body_is_read_as_declared() {
    let body = json!({"name": "Ada", "size": 3, "kind": "small", "unknown": 1});
    let thing = read::<Thing>(body.as_object().unwrap()).unwrap();
    let expected = Thing {
        name: "Ada".to_owned(),
        size: Some(3),
        kind: Some("small".to_owned()),
        share: None,
        open: Some(true),
        has_owner: false,
    };
    assert_eq!(thing, expected);
}

#[test]
fn every_broken_rule_is_named() {
    let body = json!({
        "name": "Ada Lovelace", "size": 10, "kind": "huge", "share": 1.5, "open": "yes", "owner": "x",
    });
    let expected = [
        "name must have at most 5 characters",
        "size must be a whole number from 1 to 9",
        "kind must be one of small, large",
        "share must be a number from 0 to 1",
        "open must be true or false",
        "owner must be a UUID",
    ];
    assert_eq!(details(&body), expected);
    assert_eq!(details(&json!({})), ["name is required"]);
    assert_eq!(details(&json!({"name": null})), ["name is required"]);
    assert_eq!(details(&json!({"name": ""})), ["name must not be empty"]);
}

#[test]
fn the_document_shows_the_declared_rules() {
    let told = Value::from(schema(Thing::MEMBERS));
    assert_eq!(told["required"], json!(["name"]));
    let name = json!({
        "type": "string", "maxLength": 5, "description": "What it is called.", "examples": ["Ada"],
    });
    assert_eq!(told["properties"]["name"], name);
    let kind = json!({"type": ["string", "null"], "enum": ["small", "large", null]});
    assert_eq!(told["properties"]["kind"], kind);
    assert_eq!(told["properties"]["open"]["default"], true);
    assert_eq!(example(Thing::MEMBERS), json!({"name": "Ada"}));
}
