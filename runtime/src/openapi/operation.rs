//! Describes one operation: a method of a path.
//!
//! Consequences of a property are not declared again: a route with a token may answer 401, one with
//! a limit 429, one with a body 400, any handler 500, and any request 414 or 431 before it has a
//! handler.

use super::{
    Described, headers,
    headers::header,
    refusal::{self, Shared},
    schema::{Member, Schema},
};
use crate::{http::ApiError, throttle::Limit};
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const JSON: &str = "application/json";
/// What HTML forms send.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Open,
    /// Callers with a token.
    Bearer,
    /// Callers with a token or an API key.
    BearerOrKey,
    /// Callers with an API key.
    Key,
    /// Everyone; a part of it needs a token.
    BearerForSome,
}

/// How answers show a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttled {
    /// They do not. Either there is no limit, or what exceeds it gets a usual answer.
    Never,
    /// 429 when it is spent.
    WhenSpent,
    /// 429 when it is spent, and the `X-RateLimit-*` headers on every answer.
    Always,
}

/// An operation under construction.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) id: String,
    tag: &'static str,
    summary: String,
    about: Option<String>,
    access: Access,
    throttled: Throttled,
    limit: Option<String>,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: BTreeMap<u16, Answer>,
    refusals: Vec<ApiError>,
    refuses_with_pages: bool,
    pages: Vec<StatusCode>,
}

#[derive(Clone, Debug)]
struct Answer {
    about: String,
    headers: Map<String, Value>,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    /// Data in the envelope of the dialect, with members beside it.
    Data(Schema, Vec<Member>),
    /// The dialect's answer without data.
    Done,
    /// A body of that media type, without an envelope.
    Bare(&'static str, Schema),
    /// No body.
    Nothing,
}

impl Operation {
    /// An operation of that method and path, under a tag; `id` is its handler's name.
    #[must_use]
    pub fn new(method: Method, path: &str, tag: &'static str, id: impl Into<String>) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id: id.into(),
            tag,
            summary: String::new(),
            about: None,
            access: Access::Open,
            throttled: Throttled::Never,
            limit: None,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            // Any address may be too long, and any handler may have a defect.
            refusals: vec![
                ApiError::from_status(StatusCode::URI_TOO_LONG),
                ApiError::internal(""),
            ],
            refuses_with_pages: false,
            pages: Vec::new(),
        }
    }

    /// What it does, in one line.
    #[must_use]
    pub fn summary(mut self, text: impl Into<String>) -> Self {
        self.summary = text.into();
        self
    }

    /// A further description.
    #[must_use]
    pub fn about(mut self, text: impl Into<String>) -> Self {
        self.about = Some(text.into());
        self
    }

    /// Who may call.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        if matches!(access, Access::Bearer | Access::BearerOrKey) {
            return self.refuses([ApiError::unauthorized()]);
        }
        self
    }

    /// Sets its published limit, the unit that is counted (`each`), and how answers show the limit.
    #[must_use]
    pub fn throttled(mut self, throttled: Throttled, limit: Limit, each: &str) -> Self {
        let time = match limit.seconds {
            60 => "a minute".to_owned(),
            3600 => "an hour".to_owned(),
            seconds => format!("{seconds} seconds"),
        };
        self.limit = Some(format!(
            "At most {} in {time} for each {each}.",
            limit.count
        ));
        self.throttled = throttled;
        match throttled {
            Throttled::Never => self,
            Throttled::WhenSpent | Throttled::Always => self.refuses([ApiError::rate_limited(1)]),
        }
    }

    /// Describes a limit that it shares with other operations, and how answers show it.
    #[must_use]
    pub fn shares_limit(mut self, throttled: Throttled, about: &str) -> Self {
        self.limit = Some(about.to_owned());
        self.throttled = throttled;
        self.refuses([ApiError::rate_limited(1)])
    }

    /// A part of the path.
    #[must_use]
    pub fn path_parameter(mut self, name: &str, schema: Schema) -> Self {
        self.parameters
            .push(parameter("path", name, schema.into(), true));
        self
    }

    /// A parameter of the query.
    #[must_use]
    pub fn query_parameter(mut self, name: &str, schema: Schema) -> Self {
        self.parameters
            .push(parameter("query", name, schema.into(), false));
        self
    }

    /// A parameter of the query that holds values separated by commas.
    #[must_use]
    pub fn query_list(mut self, name: &str, schema: Schema) -> Self {
        let mut list = parameter("query", name, schema.into(), false);
        list["style"] = json!("form");
        list["explode"] = json!(false);
        self.parameters.push(list);
        self
    }

    /// A required parameter of the query.
    #[must_use]
    pub fn required_query_parameter(mut self, name: &str, schema: Schema) -> Self {
        self.parameters
            .push(parameter("query", name, schema.into(), true));
        self
    }

    /// A header that it reads.
    #[must_use]
    pub fn header_parameter(mut self, name: &str, schema: Schema) -> Self {
        self.parameters
            .push(parameter("header", name, schema.into(), false));
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn body(mut self, schema: Schema) -> Self {
        let content = json!({ "application/json": { "schema": Value::from(schema) } });
        self.body = Some(json!({ "required": true, "content": content }));
        self.refuses(refusal::of_bodies())
    }

    /// A JSON body that may also be `text/plain`, which `navigator.sendBeacon` sends without a
    /// preflight.
    #[must_use]
    pub fn beacon_body(mut self, schema: Schema, required: bool) -> Self {
        let schema = Value::from(schema);
        let text = json!({
            "type": "string", "contentMediaType": "application/json", "contentSchema": schema,
        });
        let content = json!({
            "application/json": { "schema": schema }, "text/plain": { "schema": text },
        });
        self.body = Some(json!({ "required": required, "content": content }));
        self.refuses(refusal::of_bodies())
    }

    /// The fields of an HTML form.
    #[must_use]
    pub fn form_body(mut self, schema: Schema) -> Self {
        let content = json!({ FORM: { "schema": Value::from(schema) } });
        self.body = Some(json!({ "required": true, "content": content }));
        self.refuses(refusal::of_forms())
    }

    /// An answer whose `data` has this schema.
    #[must_use]
    pub fn answers(self, status: StatusCode, about: &str, schema: Schema) -> Self {
        self.answer_with(status, about, Content::Data(schema, Vec::new()))
    }

    /// An answer whose `data` has this schema, with members beside it.
    #[must_use]
    pub fn answers_beside(
        self,
        status: StatusCode,
        about: &str,
        schema: Schema,
        beside: Vec<Member>,
    ) -> Self {
        self.answer_with(status, about, Content::Data(schema, beside))
    }

    /// An answer that has nothing to return.
    #[must_use]
    pub fn answers_done(self, about: &str) -> Self {
        self.answer_with(StatusCode::OK, about, Content::Done)
    }

    /// An answer with a body of that media type.
    #[must_use]
    pub fn answers_as(
        self,
        status: StatusCode,
        about: &str,
        media_type: &'static str,
        schema: Schema,
    ) -> Self {
        self.answer_with(status, about, Content::Bare(media_type, schema))
    }

    /// An answer without a body.
    #[must_use]
    pub fn answers_nothing(self, status: StatusCode, about: &str) -> Self {
        self.answer_with(status, about, Content::Nothing)
    }

    fn answer_with(mut self, status: StatusCode, about: &str, content: Content) -> Self {
        let answer = Answer {
            about: about.to_owned(),
            headers: Map::new(),
            content,
        };
        self.answers.insert(status.as_u16(), answer);
        self
    }

    /// Adds a header to every answer declared so far, but not to errors.
    #[must_use]
    pub fn answer_header(mut self, name: &str, required: bool, schema: Schema) -> Self {
        let header = header(required, schema);
        for answer in self.answers.values_mut() {
            answer.headers.insert(name.to_owned(), header.clone());
        }
        self
    }

    /// Adds a header to the answer of one status, which was declared before.
    #[must_use]
    pub fn header_of(mut self, status: StatusCode, name: &str, schema: Schema) -> Self {
        if let Some(answer) = self.answers.get_mut(&status.as_u16()) {
            answer.headers.insert(name.to_owned(), header(true, schema));
        }
        self
    }

    /// Errors that it returns, made as its handler makes them.
    #[must_use]
    pub fn refuses(mut self, errors: impl IntoIterator<Item = ApiError>) -> Self {
        for error in errors {
            // Several properties may add the same error.
            let known = |known: &ApiError| known.code == error.code;
            if !self.refusals.iter().any(known) {
                self.refusals.push(error);
            }
        }
        self
    }

    /// 400 for a broken rule of a parameter.
    #[must_use]
    pub fn refuses_parameters(self) -> Self {
        self.refuses([refusal::of_rules()])
    }

    /// 503 while a dependency is unavailable.
    #[must_use]
    pub fn refuses_while_away(self) -> Self {
        self.refuses([ApiError::unavailable("")])
    }

    /// Sends its errors as pages for people, without a code.
    #[must_use]
    pub fn refuses_with_pages(mut self) -> Self {
        self.refuses_with_pages = true;
        self
    }

    /// Sends the answers of these statuses as pages to clients that ask for one.
    #[must_use]
    pub fn also_as_pages(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.pages.extend(statuses);
        self
    }

    /// The same operation by another method, under its own id.
    #[must_use]
    pub fn by(&self, method: Method) -> Self {
        Self {
            id: format!("{}_by_{}", self.id, method.as_str().to_ascii_lowercase()),
            method,
            ..self.clone()
        }
    }

    /// The operation object. Adds shared errors to `shared`.
    pub(super) fn into_value(
        self,
        dialect: &dyn Described,
        names: &[Shared],
        shared: &mut Map<String, Value>,
    ) -> Value {
        let mut responses = Map::new();
        let has_page = |status: u16| self.pages.iter().any(|page| page.as_u16() == status);
        for (status, answer) in &self.answers {
            let mut value = self.answer(*status, answer, dialect);
            if has_page(*status) {
                refusal::add_page(&mut value);
            }
            responses.insert(status.to_string(), value);
        }
        let mut by_status: BTreeMap<u16, Vec<ApiError>> = BTreeMap::new();
        for error in &self.refusals {
            let errors = by_status.entry(error.status.as_u16()).or_default();
            errors.push(error.clone());
        }
        for (status, mut errors) in by_status {
            // Shared names are found by sorted codes.
            errors.sort_by_key(|error| error.code);
            // Pages name no codes, so they cannot share an answer with the errors in the envelope. No
            // route sees an address that is too long, so none makes a page of it.
            let is_page = self.refuses_with_pages && status != StatusCode::URI_TOO_LONG.as_u16();
            let name = refusal::shared_name(&errors, dialect, names)
                .filter(|_| !is_page && !has_page(status));
            let headers = self.error_headers(status, name.is_some());
            let mut response = match name {
                Some(name) => {
                    let reference = json!({ "$ref": format!("#/components/responses/{name}") });
                    shared.insert(name, refusal::response(&errors, dialect, &headers));
                    reference
                }
                None if is_page => refusal::page(&errors, &headers),
                None => refusal::response(&errors, dialect, &headers),
            };
            if has_page(status) {
                refusal::add_page(&mut response);
            }
            responses.insert(status.to_string(), response);
        }
        let too_large = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.as_u16();
        responses.insert(too_large.to_string(), refusal::head_too_large(shared));
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "security": match self.access {
                Access::Open => json!([]),
                Access::Bearer => json!([{ "bearer": [] }]),
                Access::BearerOrKey => json!([{ "bearer": [] }, { "apiKey": [] }]),
                Access::Key => json!([{ "apiKey": [] }]),
                Access::BearerForSome => json!([{}, { "bearer": [] }]),
            },
            "responses": responses,
        });
        let about: Vec<String> = self.about.into_iter().chain(self.limit).collect();
        if !about.is_empty() {
            operation["description"] = json!(about.join("\n\n"));
        }
        if !self.parameters.is_empty() {
            operation["parameters"] = json!(self.parameters);
        }
        if let Some(body) = self.body {
            operation["requestBody"] = body;
        }
        operation
    }

    fn answer(&self, status: u16, answer: &Answer, dialect: &dyn Described) -> Value {
        let mut headers = headers::standing(self.throttled == Throttled::Always);
        headers.extend(answer.headers.clone());
        let mut response = json!({ "description": answer.about, "headers": headers });
        let status = StatusCode::from_u16(status).unwrap_or_default();
        let (media_type, schema) = match &answer.content {
            Content::Data(data, beside) => {
                let schema = dialect.data_schema_beside(status, data.clone(), beside.clone());
                (JSON, schema)
            }
            Content::Done => (JSON, dialect.done_schema()),
            Content::Bare(media_type, schema) => (*media_type, schema.clone()),
            Content::Nothing => return response,
        };
        response["content"] = json!({ media_type: { "schema": Value::from(schema) } });
        response
    }

    /// The headers of an error. A shared error omits those of limits, which not every route has.
    fn error_headers(&self, status: u16, shared: bool) -> Value {
        // A 429 always shows the limit that is spent.
        let spent = status == StatusCode::TOO_MANY_REQUESTS.as_u16();
        let mut headers =
            headers::standing(spent || (!shared && self.throttled == Throttled::Always));
        let name = match status {
            401 => "WWW-Authenticate",
            429 | 503 => "Retry-After",
            _ => return headers.into(),
        };
        headers.insert(name.to_owned(), headers::reference(name));
        headers.into()
    }
}

/// A parameter object. The schema's description moves to the object.
fn parameter(place: &str, name: &str, mut schema: Value, required: bool) -> Value {
    let about = schema
        .as_object_mut()
        .and_then(|words| words.remove("description"));
    let mut parameter = json!({
        "name": name, "in": place, "required": required, "schema": schema,
    });
    if let Some(about) = about {
        parameter["description"] = about;
    }
    parameter
}
