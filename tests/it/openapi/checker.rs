//! Compares responses with the document: status, media type, headers, every member of the body.

use jsonschema::{Draft, Validator};
use kit::{Answer, Creator, System};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

/// An observed response: an operation, a status, the keys of its errors.
pub type Seen = BTreeMap<(String, String), BTreeSet<String>>;

/// Sends requests to a system and checks each response.
pub struct Checker<'a> {
    pub system: &'a System,
    pub document: Value,
    seen: Mutex<Seen>,
}

impl<'a> Checker<'a> {
    pub fn new(system: &'a System) -> Self {
        let mut document = footfall::openapi::document();
        close(&mut document);
        Self {
            system,
            document,
            seen: Mutex::default(),
        }
    }

    /// Every operation with its path and method.
    pub fn operations(&self) -> Vec<(&str, Method, &Value)> {
        let paths = self.document["paths"].as_object().unwrap();
        let mut all = Vec::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                all.push((path.as_str(), method, operation));
            }
        }
        all
    }

    /// The responses so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Changes the plan of a creator's workspace.
    pub async fn set_plan(&self, of: &Creator, plan: &str) {
        let changing = sqlx::query("UPDATE workspaces SET plan = $2 WHERE id = $1");
        let changing = changing.bind(of.workspace_id).bind(plan);
        changing.execute(&self.system.main).await.unwrap();
    }

    /// Sends a request with an optional token and an optional JSON body.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Value,
    ) -> Answer {
        let mut request = self.system.client.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// Sends a request and checks the response.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let sent = request.try_clone().unwrap().build().unwrap();
        let answer = self.system.client.send(request).await;
        let (method, path) = (sent.method(), sent.url().path());
        let told = self.check(method, path, &answer);
        let status = answer.status.as_u16().to_string();
        let responses = &self.find(method, path)["responses"];
        let key = match answer.error().2 {
            key if key.is_empty() => Self::key_of(self.resolve(&responses[&status]), &answer),
            key => Some(key),
        };
        let mut seen = self.seen.lock().unwrap();
        seen.entry((told, status)).or_default().extend(key);
        answer
    }

    /// The key of an error whose dialect shows none: that of the example with the same code and message.
    fn key_of(response: &Value, answer: &Answer) -> Option<String> {
        let body = answer.json();
        let told = error(&body);
        let examples = response["content"]["application/json"]["examples"].as_object()?;
        let same = |example: &Value| {
            let error = error(&example["value"]);
            ["code", "message"]
                .iter()
                .all(|name| error[name] == told[name])
        };
        let found = examples.iter().find(|(_, example)| same(example));
        found.map(|(key, _)| key.clone())
    }

    fn check(&self, method: &Method, path: &str, answer: &Answer) -> String {
        let (operation, what) = (self.find(method, path), format!("{method} {path}"));
        let status = answer.status.as_u16().to_string();
        let response = self.resolve(&operation["responses"][&status]);
        let text = &answer.text;
        assert!(
            response.is_object(),
            "{what} answers {status}, which is not in the document: {text}"
        );
        for (name, header) in response["headers"].as_object().unwrap() {
            self.check_header(&what, name, self.resolve(header), answer);
        }
        let kind = answer.headers.get("content-type");
        let kind = kind.map(|kind| kind.to_str().unwrap().split(';').next().unwrap());
        let Some(content) = response.get("content") else {
            assert!(text.is_empty() && kind.is_none(), "{what}: {text}");
            return operation["operationId"].as_str().unwrap().to_owned();
        };
        let kind = kind.unwrap_or_default();
        let schema = &content[kind]["schema"];
        assert!(
            schema.is_object(),
            "{what}: {status} is not documented as {kind:?}"
        );
        let body = match kind {
            "application/json" | "application/schema+json" => serde_json::from_str(text).unwrap(),
            _ => json!(text),
        };
        let problems: Vec<String> = self
            .validator(schema)
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            problems.is_empty(),
            "{what} {status}: {problems:#?}\n{text}"
        );
        operation["operationId"].as_str().unwrap().to_owned()
    }

    fn check_header(&self, what: &str, name: &str, header: &Value, answer: &Answer) {
        let Some(given) = answer.headers.get(name) else {
            assert_ne!(
                header["required"], true,
                "{what} {}: no {name}",
                answer.status
            );
            return;
        };
        let given = given.to_str().unwrap();
        let value = given.parse::<i64>().map_or(json!(given), Value::from);
        let valid = self.validator(&header["schema"]).is_valid(&value);
        assert!(valid, "{what}: {name}: {given}");
    }

    /// A validator of a schema of the document.
    pub fn validator(&self, schema: &Value) -> Validator {
        let schema = json!({ "allOf": [schema], "components": self.document["components"] });
        let mut options = jsonschema::options();
        options = options
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true);
        options.build(&schema).unwrap()
    }

    /// The operation of a requested path; if two match, the one with fewer parameters.
    pub fn find(&self, method: &Method, path: &str) -> &Value {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let parts: Vec<&str> = template.split('/').collect();
            let same = |(part, given): (&&str, &&str)| match part.split_once('{') {
                Some((before, _)) => given.starts_with(before),
                None => part == given,
            };
            parts.len() == given.len() && parts.iter().zip(&given).all(same)
        };
        let found = self.operations().into_iter();
        let found = found
            .filter(|(template, known, _)| known == method && fits(template))
            .min_by_key(|(template, ..)| template.matches('{').count());
        found
            .unwrap_or_else(|| panic!("{method} {path} is not in the document"))
            .2
    }

    pub fn resolve<'b>(&'b self, value: &'b Value) -> &'b Value {
        match value["$ref"].as_str() {
            Some(to) => self.document.pointer(to.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }
}

/// Forbids further members in every object of the schemas, so that a member missing from the document
/// is found.
fn close(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(words) => {
            words.values_mut().for_each(close);
            close_object(words);
        }
        _ => {}
    }
}

fn close_object(words: &mut Map<String, Value>) {
    let kind = words.get("type").cloned().unwrap_or_default();
    let object = kind == "object"
        || kind
            .as_array()
            .is_some_and(|kinds| kinds.contains(&json!("object")));
    if object && words.contains_key("properties") && !words.contains_key("additionalProperties") {
        words.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// The error of a body: the only one in dialects that have a list.
fn error(body: &Value) -> &Value {
    match body["errors"].get(0) {
        Some(first) => first,
        None => &body["error"],
    }
}
