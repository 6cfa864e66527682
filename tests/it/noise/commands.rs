//! Noise for the commands of a workspace and for links on the events API: bodies that are random, nearly
//! valid, or broken as text.

use super::{any_json, runner};
use crate::{
    clicks::open,
    openapi::checker::Checker,
    workspaces::objects::{make, make_key, object, of_members, request},
};
use api::{Command, Verb};
use kit::{Creator, System, SystemBuilder};
use proptest::prelude::*;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

const HOST: &str = "footfall.test";
const SHORT_URLS: &str = "/link/external/v1/shortenedUrl";

/// What becomes of a valid body.
#[derive(Clone, Debug)]
enum Change {
    /// Some members have other values: the place in the list of members, and the value.
    Members(Vec<(usize, Value)>),
    /// It is another value.
    Whole(Value),
    /// One byte of its text, by place, is this one; or the text ends there.
    Text(usize, Option<u8>),
}

fn any_change() -> impl Strategy<Value = Change> {
    let member = (0usize..1_000, any_json());
    prop_oneof![
        6 => prop::collection::vec(member, 1..4).prop_map(Change::Members),
        1 => any_json().prop_map(Change::Whole),
        1 => (any::<usize>(), prop::option::of(any::<u8>()))
            .prop_map(|(place, byte)| Change::Text(place, byte)),
    ]
}

/// An operation with a body.
#[derive(Clone, Debug)]
struct Target {
    method: Method,
    path: String,
    example: Value,
    /// The names of its members.
    members: Vec<String>,
}

impl Target {
    fn new(checker: &Checker<'_>, method: Method, path: String, example: Value) -> Self {
        let operation = checker.find(&method, &path);
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let schema = checker.resolve(schema);
        let documented = schema["properties"].as_object().into_iter();
        let members: Vec<String> = documented.flat_map(Map::keys).cloned().collect();
        assert!(!members.is_empty(), "{path}: {schema}");
        Self {
            method,
            path,
            example,
            members,
        }
    }

    fn body(&self, change: Change) -> Vec<u8> {
        let mut body = self.example.clone();
        match change {
            Change::Whole(value) => body = value,
            Change::Members(changes) => {
                for (place, value) in changes {
                    body[&self.members[place % self.members.len()]] = value;
                }
            }
            Change::Text(place, byte) => {
                let mut text = body.to_string().into_bytes();
                let place = place % text.len();
                match byte {
                    Some(byte) => text[place] = byte,
                    None => text.truncate(place),
                }
                return text;
            }
        }
        body.to_string().into_bytes()
    }
}

/// One of each object of a workspace.
struct Objects(BTreeMap<&'static str, Uuid>);

impl Objects {
    async fn make(system: &System, owner: &Creator) -> Self {
        let mut made = BTreeMap::new();
        for command in of_members() {
            let Some(object) = object(command) else {
                continue;
            };
            if !made.contains_key(object.id) {
                made.insert(object.id, make(system, owner, object).await);
            }
        }
        Self(made)
    }

    fn id(&self, command: &Command) -> String {
        object(command).map_or_else(String::new, |object| self.0[object.id].to_string())
    }
}

fn targets(checker: &Checker<'_>, objects: &Objects) -> Vec<Target> {
    let client = &checker.system.client;
    let of_workspace = of_members().filter_map(|command| {
        let example = command.example()?;
        let request = request(client, command, &objects.id(command));
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        Some(Target::new(checker, method, path, example))
    });
    let link = objects.0["linkId"];
    let url = json!({"url": "https://shop.example/x", "shortLinkName": "A"});
    let external = [
        (Method::POST, "/save".to_owned(), url.clone()),
        (
            Method::POST,
            "/bulkSave".to_owned(),
            json!({"records": [url.clone()]}),
        ),
        (Method::PATCH, format!("/url_{link}"), url),
    ];
    let external = external.into_iter().map(|(method, path, example)| {
        Target::new(checker, method, format!("{SHORT_URLS}{path}"), example)
    });
    of_workspace.chain(external).collect()
}

/// A request with the credential of its surface.
fn signed(request: RequestBuilder, path: &str, (token, key): (&str, &str)) -> RequestBuilder {
    if path.starts_with(SHORT_URLS) {
        request.header("X-API-KEY", key)
    } else {
        request.bearer_auth(token)
    }
}

/// Everything that noise has stored can be read and opened.
async fn read_all(checker: &Checker<'_>, objects: &Objects, token: &str) {
    let client = &checker.system.client;
    for command in of_members().filter(|command| command.verb == Verb::Get) {
        let request = request(client, command, &objects.id(command));
        let answer = checker.send(request.bearer_auth(token)).await;
        assert!(answer.status.as_u16() < 500, "{}", command.id);
    }
    for page in 1.. {
        let path = format!("/api/links?limit=100&page={page}");
        let request = client.request(Method::GET, &path).bearer_auth(token);
        let answer = checker.send(request).await;
        for link in answer.data().as_array().unwrap() {
            let code = link["shortCode"].as_str().unwrap();
            let opened = open(client, HOST, &format!("/{code}"), &[]).await;
            assert!(opened.status.as_u16() < 500, "{link}: {}", opened.status);
        }
        if answer.json()["pagination"]["hasMore"] != true {
            return;
        }
    }
}

#[test]
fn no_body_breaks_a_command_and_every_answer_is_in_the_document() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let system = runtime.block_on(SystemBuilder::default().start());
    let checker = Checker::new(&system);
    let (ada, key, objects) = runtime.block_on(async {
        let ada = system.client.creator("ada").await;
        let (_, key) = make_key(&system.client, &ada.token, &["links:read", "links:write"]).await;
        let objects = Objects::make(&system, &ada).await;
        (ada, key, objects)
    });
    let targets = targets(&checker, &objects);
    assert!(targets.len() > 20, "{targets:?}");
    let input = (prop::sample::select(targets), any_change());
    let property = runner(500).run(&input, |(target, change)| {
        runtime.block_on(async {
            let request = system.client.request(target.method.clone(), &target.path);
            let request = request.header("content-type", "application/json");
            let request = request.body(target.body(change));
            let request = signed(request, &target.path, (&ada.token, &key));
            let answer = checker.send(request).await;
            assert!(answer.status.as_u16() < 500, "{}", answer.text);
        });
        Ok(())
    });
    property.unwrap();
    runtime.block_on(read_all(&checker, &objects, &ada.token));
    runtime.block_on(system.finish());
}
