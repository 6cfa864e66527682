//! `GET /shortenedUrl` and `GET /shortenedUrl/{id}`: reads links.

use super::wire::{self, WireShortUrl};
use crate::{
    app::App,
    auth::Access,
    extract::{ObjectName, Query},
    refusals,
    store::{
        self,
        short_links::{Filter, Order},
    },
    surfaces::events::{
        errors,
        limits::{self, Scope},
    },
};
use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use runtime::http::{ApiError, ok, validate::parse_uuid};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, convert::Infallible, sync::Arc};
use uuid::Uuid;

/// Links of a page, unless the request says another number.
pub(super) const DEFAULT_SIZE: i64 = 20;
/// Most links of a page.
pub(super) const MAX_SIZE: i64 = 100;
/// The last page: the database reads every row before a page, so the work stays bounded.
pub(super) const MAX_PAGE: i64 = 9_999;

/// A page of links.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ShortUrlPage", description = "A page of links.")]
pub(super) struct WirePage {
    data: Vec<WireShortUrl>,
    /// Counted from 0.
    page: i64,
    size: i64,
    /// How many links there are.
    total: i64,
    has_more: bool,
}

/// The id of a link in a path, with or without the prefix that it has in events. `None` for
/// anything else, which names no link.
#[derive(Clone, Copy, Debug)]
pub(super) struct UrlId(pub(super) Option<Uuid>);

impl<S: Send + Sync> FromRequestParts<S> for UrlId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let named = ObjectName::from_request_parts(parts, state).await;
        let text = named.ok().and_then(|ObjectName(text)| text);
        let id = text.and_then(|text| parse_uuid(text.strip_prefix("url_").unwrap_or(&text)));
        Ok(Self(id))
    }
}

/// A page of the workspace's links, the newest first.
pub(super) async fn list_short_urls(
    State(app): State<Arc<App>>,
    access: Access,
    query: Result<Query, ApiError>,
) -> Response {
    let tenant = match access.tenant() {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let answered = async {
        let (page, size) = place(&query?)?;
        let workspace = tenant.workspace.id;
        let mut tx = app.main.pool()?.begin().await?;
        let newest = (Order::Created, true);
        let part = (size, page * size);
        let (links, total) =
            store::short_links::list(&mut tx, workspace, &Filter::default(), newest, part).await?;
        Ok(ok(WirePage {
            data: wire::show(&mut tx, &app, workspace, links).await?,
            page,
            size,
            total,
            has_more: (page + 1) * size < total,
        }))
    };
    limits::within(&app, tenant, Scope::Crud, answered).await
}

/// A link of the workspace, or 404.
pub(super) async fn get_short_url(
    State(app): State<Arc<App>>,
    access: Access,
    id: UrlId,
) -> Response {
    let tenant = match access.tenant() {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let answered = async {
        let id = id.0.ok_or_else(refusals::short_link_not_found)?;
        let mut tx = app.main.pool()?.begin().await?;
        Ok(ok(wire::find(&mut tx, &app, tenant.workspace.id, id).await?))
    };
    limits::within(&app, tenant, Scope::Crud, answered).await
}

/// Number and size of the page that a request asks for.
fn place(query: &Query) -> Result<(i64, i64), ApiError> {
    let mut given = BTreeMap::new();
    for (name, value) in query.pairs() {
        if !matches!(&*name, "page" | "size") {
            let name: String = name.chars().take(50).collect();
            let rule = format!("Unknown parameter `{name}`.");
            return Err(errors::invalid(rule));
        }
        if given.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(errors::invalid(format!("{name} is given twice.")));
        }
    }
    let whole = |name: &str, default: i64, least: i64, most: i64| {
        let Some(text) = given.get(name) else {
            return Ok(default);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        let number = number.filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            errors::invalid(format!(
                "{name} must be a whole number from {least} to {most}."
            ))
        })
    };
    let page = whole("page", 0, 0, MAX_PAGE)?;
    let size = whole("size", DEFAULT_SIZE, 1, MAX_SIZE)?;
    Ok((page, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_from_zero() {
        let read = |query: &str| place(&Query::from(query)).map_err(|error| error.message);
        assert_eq!(read(""), Ok((0, 20)));
        assert_eq!(read("page=3&size=100"), Ok((3, 100)));
        for (query, part) in [
            ("page=-1", "page must"),
            ("page=+1", "page must"),
            ("page=10000", "page must"),
            ("size=0", "size must"),
            ("size=101", "size must"),
            ("size=", "size must"),
            ("limit=5", "Unknown parameter `limit`"),
            ("page=1&page=2", "twice"),
        ] {
            let said = read(query).unwrap_err();
            assert!(said.contains(part), "{query}: {said}");
        }
    }
}
