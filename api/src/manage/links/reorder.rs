//! `POST /api/v1/creators/{creatorId}/links/reorder`: orders the links of a page.

use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb, body},
    extract::{JsonBody, PathId, Query},
    members::{PAGE, PAGE_BESIDE_BODY},
    refusals,
    store::{self, record},
};
use axum::{extract::State, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, done, validate::parse_uuid},
    members::{Body, Declared, Member, Rule},
    openapi::{Schema, list, uuid},
};
use serde_json::{Value, json};
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

pub(super) const REORDER_LINKS: Command = Command {
    id: "creators.links.reorder",
    verb: Verb::Post,
    path: "/api/v1/creators/{creatorId}/links/reorder",
    subject: Subject::Creator,
    permission: Permission("links:update"),
    limit: Allowance::an_hour(30),
    handler: ("reorder_links", |by| on(by, reorder_links)),
    summary: "Orders the links of a page.",
    about: "",
    page: Some(PAGE_BESIDE_BODY),
    query: &[],
    body: body::<Order>(),
    answer: Answer::Done("Saved."),
    refusals: || vec![refusals::links_not_owned()],
};

/// A new order, as a request gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    page_id: Option<Uuid>,
    /// Each at most once. `None` when one cannot be an id, and so cannot be a link of the page.
    link_ids: Option<Vec<Uuid>>,
}

/// Sets each listed link's place to its index. Other links keep their places, so places can
/// collide.
pub(crate) async fn reorder_links(
    State(app): State<Arc<App>>,
    access: Access,
    PathId(creator_id): PathId,
    query: Query,
    JsonBody(order): JsonBody<Order>,
) -> Result<Response, ApiError> {
    let page_id = order.page_id.or(query.uuid("bioPageId")?);
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let creator = access
        .creator(&mut *tx, creator_id, refusals::not_owner)
        .await?;
    let page_id = store::pages::lock(&mut tx, creator.id, page_id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let link_ids = order.link_ids.ok_or_else(refusals::links_not_owned)?;
    if !store::links::are_all_on(&mut tx, page_id, &link_ids).await? {
        return Err(refusals::links_not_owned());
    }
    // An unchanged order writes no audit row and no directory entry.
    if store::links::reorder(&mut tx, page_id, &link_ids).await? == 0 {
        return Ok(done());
    }
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: access.user()?,
        action: "links.reordered",
        subject: page_id,
        at: now,
        detail: json!({ "linkIds": link_ids }),
    };
    record::page_change(&mut tx, (page_id, &creator), audit).await?;
    tx.commit().await?;
    Ok(done())
}

const LINK_IDS: Member<Ids> = Member::new("linkIds", Ids)
    .required()
    .about("A link's index becomes its `sortOrder`; links that are not listed keep theirs.")
    .example(|| json!(["0192e000-0000-7000-8000-00000000000a"]));

impl Body for Order {
    const MEMBERS: &'static [&'static dyn Declared] = &[&LINK_IDS, &PAGE];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            page_id: PAGE.read(fields),
            link_ids: LINK_IDS.read(fields).flatten(),
        }
    }
}

/// An array of distinct ids; `None` when one of its texts cannot be an id.
#[derive(Clone, Copy, Debug)]
struct Ids;

impl Rule for Ids {
    type Value<'a> = Option<Vec<Uuid>>;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<Self::Value<'a>> {
        let Value::Array(given) = fields.get(name)? else {
            fields.problem(format!("{name} must be an array"));
            return None;
        };
        let texts: Vec<String> = given
            .iter()
            // In lower case, so that one id in two spellings counts as a duplicate.
            .filter_map(|id| id.as_str().map(str::to_ascii_lowercase))
            .collect();
        if texts.len() < given.len() {
            fields.problem(format!("{name} must contain only strings"));
        }
        if texts.iter().collect::<HashSet<_>>().len() < texts.len() {
            fields.problem(format!("{name} must not contain duplicates"));
        }
        Some(texts.iter().map(|text| parse_uuid(text)).collect())
    }

    fn schema(&self) -> Schema {
        list(uuid()).with("uniqueItems", true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::members;

    const ID: &str = "0192e000-0000-7000-8000-00000000000a";
    const OTHER: &str = "0192e000-0000-7000-8000-00000000000b";

    fn read(body: &Value) -> Result<Option<Vec<Uuid>>, Vec<String>> {
        match members::read::<Order>(body.as_object().unwrap()) {
            Ok(order) => Ok(order.link_ids),
            Err(error) => Err(error.details),
        }
    }

    #[test]
    fn an_order_is_a_list_of_different_strings() {
        let ids = |texts: &[&str]| Ok(texts.iter().map(|text| parse_uuid(text)).collect());
        assert_eq!(read(&json!({ "linkIds": [] })), ids(&[]));
        assert_eq!(read(&json!({ "linkIds": [OTHER, ID] })), ids(&[OTHER, ID]));
        for body in [
            json!({}),
            json!({ "linkIds": null }),
            json!({ "linkIds": ID }),
            json!({ "linkIds": { "0": ID } }),
            json!({ "linkIds": [ID, 7] }),
            json!({ "linkIds": [ID, null] }),
            json!({ "linkIds": [ID, OTHER, ID] }),
            json!({ "linkIds": [ID, ID.to_uppercase()] }),
            json!({ "linkIds": [], "bioPageId": "x" }),
        ] {
            assert_eq!(read(&body).unwrap_err().len(), 1, "{body}");
        }
    }

    #[test]
    fn a_string_that_is_not_an_id_is_not_a_link() {
        assert_eq!(read(&json!({ "linkIds": [ID, "x"] })), Ok(None));
        assert_eq!(read(&json!({ "linkIds": ["", ID] })), Ok(None));
    }
}
