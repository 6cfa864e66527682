//! `POST /api/v1/creators/{creatorId}/links/reorder`

use crate::{
    app::App,
    extract::{JsonObject, PathId, Query},
    guard::Caller,
    refusals,
    store::{self, record},
};
use axum::{extract::State, response::Response};
use runtime::http::{ApiError, Fields, success, validate::parse_uuid};
use serde_json::{Map, Value, json};
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

/// An order as a request asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    page_id: Option<Uuid>,
    /// Each at most once. `None` when one is no id at all, and so no link of any page.
    link_ids: Option<Vec<Uuid>>,
}

/// Gives each link named its place in the list; those left out keep theirs, so places can collide.
pub(crate) async fn reorder_links(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(creator_id): PathId,
    query: Query,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let order = read_order(&body)?;
    let page_id = order.page_id.or(query.uuid("bioPageId")?);
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let creator = store::creators::find_owned(&mut *tx, creator_id, &caller.sub)
        .await?
        .ok_or_else(refusals::not_owner)?;
    let page_id = store::pages::lock(&mut tx, creator.id, page_id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let link_ids = order.link_ids.ok_or_else(refusals::links_not_owned)?;
    if !store::links::are_all_on(&mut tx, page_id, &link_ids).await? {
        return Err(refusals::links_not_owned());
    }
    if store::links::reorder(&mut tx, page_id, &link_ids).await? == 0 {
        return Ok(success());
    }
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: &caller.sub,
        action: "links.reordered",
        subject: page_id,
        at: now,
        detail: json!({ "linkIds": link_ids }),
    };
    record::page_change(&mut tx, (page_id, &creator), audit).await?;
    tx.commit().await?;
    Ok(success())
}

fn read_order(body: &Map<String, Value>) -> Result<Order, ApiError> {
    let mut fields = Fields::new(body);
    let page_id = fields.uuid("bioPageId");
    let given = match fields.get("linkIds") {
        Some(Value::Array(given)) => given.as_slice(),
        Some(_) => {
            fields.problem("linkIds must be an array");
            &[]
        }
        None => {
            fields.problem("linkIds is required");
            &[]
        }
    };
    let texts: Vec<String> = given
        .iter()
        .filter_map(|id| id.as_str().map(str::to_ascii_lowercase))
        .collect();
    if texts.len() < given.len() {
        fields.problem("each of linkIds must be a string");
    }
    if texts.iter().collect::<HashSet<_>>().len() < texts.len() {
        fields.problem("linkIds must not hold an id twice");
    }
    fields.finish()?;
    let link_ids = texts.iter().map(|text| parse_uuid(text)).collect();
    Ok(Order { page_id, link_ids })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192e000-0000-7000-8000-00000000000a";
    const OTHER: &str = "0192e000-0000-7000-8000-00000000000b";

    fn read(body: &Value) -> Result<Option<Vec<Uuid>>, Vec<String>> {
        match read_order(body.as_object().unwrap()) {
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
    fn a_string_that_is_no_id_is_no_link() {
        assert_eq!(read(&json!({ "linkIds": [ID, "x"] })), Ok(None));
        assert_eq!(read(&json!({ "linkIds": ["", ID] })), Ok(None));
    }
}
