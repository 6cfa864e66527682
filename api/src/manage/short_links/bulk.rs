//! `POST /api/links/bulk`: creates several links, all or none.

use super::{
    WireShortLink,
    edit::{Edit, NewLink},
    save::{Checked, Save, commit_links},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    refusals,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, created},
    members::{self, Body, Declared, Member, Rule},
    openapi::{Schema, list},
};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub(super) const CREATE_SHORT_LINKS: Command = Command {
    id: "links.bulk",
    verb: Verb::Post,
    path: "/api/links/bulk",
    permission: Permission("links:create"),
    handler: ("create_short_links", |by| on(by, create_short_links)),
    summary: "Creates up to 30 links, all or none.",
    about: "An error has the index and a message for every fault, a taken code included. It counts as one request.",
    body: body::<Bulk>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The links, in the order of the request.",
        |document| list(document.type_of::<WireShortLink>()),
    ),
    refusals: || vec![refusals::limit_exceeded(25)],
    ..WORKSPACE
};

/// Most links of a request.
const MAX_LINKS: usize = 30;

/// Largest body: thirty links with long destinations.
const BODY_LIMIT_BYTES: usize = 512 * 1024;

const LINKS: Member<Links> = Member::new("links", Links)
    .required()
    .example(|| json!([members::example(NewLink::MEMBERS)]));

/// Several links in a request: each is an edit, or has problems.
#[derive(Clone, Debug)]
pub(super) struct Bulk(Vec<Result<Edit, Vec<String>>>);

impl Body for Bulk {
    const MEMBERS: &'static [&'static dyn Declared] = &[&LINKS];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self(LINKS.read(fields).unwrap_or_default())
    }
}

/// A list of new links.
#[derive(Clone, Copy, Debug)]
struct Links;

impl Rule for Links {
    type Value<'a> = Vec<Result<Edit, Vec<String>>>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Self::Value<'static>> {
        let given = fields.get(name)?.as_array();
        let given = given.filter(|given| (1..=MAX_LINKS).contains(&given.len()));
        let Some(given) = given else {
            fields.problem(format!("{name} must be a list of 1 to {MAX_LINKS} links"));
            return None;
        };
        Some(given.iter().map(read).collect())
    }

    fn schema(&self) -> Schema {
        list(members::schema(NewLink::MEMBERS))
            .with("minItems", 1)
            .with("maxItems", MAX_LINKS)
    }
}

fn read(link: &Value) -> Result<Edit, Vec<String>> {
    let Some(object) = link.as_object() else {
        return Err(vec!["links must be objects".to_owned()]);
    };
    let new = members::read::<NewLink>(object).map_err(|error| error.details)?;
    Ok(new.0)
}

/// The faults of a request, each with the index of its link.
#[derive(Debug, Default)]
struct Faults(Vec<(usize, String)>);

impl Faults {
    fn add(&mut self, index: usize, problems: Vec<String>) {
        let lines = problems.into_iter().map(|problem| (index, problem));
        self.0.extend(lines);
    }

    fn finish(mut self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|(index, _)| *index);
        Err(ApiError::faults(self.0))
    }
}

/// Creates links in one transaction: 201 with all of them.
pub(crate) async fn create_short_links(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(bulk): JsonBody<Bulk, BODY_LIMIT_BYTES>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let app = &*app;
    let save = Save::new(app, tenant, now);
    let mut faults = Faults::default();
    let new = check(save, bulk, &mut faults).await?;
    let mut work = save.begin().await?;
    // A fault of the plan is not one of a link, and is only reported when the links are right.
    let limit = save
        .check_limit(&mut work.tx, i64::try_from(new.len()).unwrap_or(i64::MAX))
        .await;
    let mut ids: Vec<Uuid> = Vec::with_capacity(new.len());
    for (index, link) in new {
        match save.create(&mut work.tx, link).await {
            Ok(id) => ids.push(id),
            // Nothing was written for this link, so the next one can still be checked.
            Err(error) if error.status.is_client_error() => {
                faults.add(index, vec![error.message.into_owned()]);
            }
            Err(error) => return Err(error),
        }
    }
    faults.finish()?;
    limit?;
    let mut links = Vec::with_capacity(ids.len());
    let mut traces = Vec::with_capacity(ids.len());
    for id in ids {
        let link = save.answer(&mut work.tx, id).await?;
        traces.push(("link.created", id, json!({ "link": link })));
        links.push(link);
    }
    commit_links(work, traces).await?;
    Ok(created(links))
}

/// The links that can be checked without the database, with their index.
async fn check(
    save: Save<'_>,
    bulk: Bulk,
    faults: &mut Faults,
) -> Result<Vec<(usize, Checked)>, ApiError> {
    let mut indexes = Vec::new();
    let mut edits = Vec::new();
    for (index, link) in bulk.0.into_iter().enumerate() {
        match link {
            Ok(edit) => {
                indexes.push(index);
                edits.push(edit);
            }
            Err(problems) => faults.add(index, problems),
        }
    }
    let mut checked = Vec::new();
    for (index, edit) in indexes.into_iter().zip(save.check(edits).await?) {
        match edit {
            Ok(edit) => checked.push((index, edit)),
            Err(problems) => faults.add(index, problems),
        }
    }
    let mut ready = Vec::new();
    for (index, edit) in checked {
        ready.push((index, save.hash(edit).await?));
    }
    Ok(ready)
}
