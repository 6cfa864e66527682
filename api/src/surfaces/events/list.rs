//! Answers `GET /link/external/v1/analytics/events`: pages by time or by arrival.

use super::{
    limits::{self, Scope},
    params::{Filter, List, Window},
    refuse_foreign, selection,
};
use crate::{
    app::App,
    auth::Access,
    events::{self, After, Browse, Codes, Cursor, Event, Found, Place, Sync, Visible},
    extract::Query,
    query::reading,
    refusals,
};
use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use jiff::Timestamp;
use runtime::http::ApiError;
use serde::Serialize;
use std::sync::Arc;

/// A page, without an envelope.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'r> {
    data: Vec<Event<'r>>,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_event_id: Option<String>,
}

/// Answers a request for a page.
pub(super) async fn list_events(
    State(app): State<Arc<App>>,
    access: Access,
    query: Result<Query, ApiError>,
) -> Response {
    let tenant = match access.tenant() {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let no = tenant.workspace.number();
    let answered = async {
        match List::read(&query?, app.clock.now())? {
            List::Browse {
                window,
                filter,
                cursor,
                limit,
            } => browse(&app, no, window, &filter, cursor, limit).await,
            List::Sync {
                since,
                after,
                filter,
                limit,
            } => sync(&app, no, since, after, &filter, limit).await,
        }
    };
    limits::within(&app, tenant, Scope::Events, answered).await
}

async fn browse(
    app: &Arc<App>,
    no: i32,
    window: Window,
    filter: &Filter,
    cursor: Option<String>,
    limit: i64,
) -> Result<Response, ApiError> {
    let scope = filter.scope(no, window);
    let cursor = match cursor {
        Some(text) => {
            let cursor = Cursor::open(&app.cursors, &scope, &text);
            Some(cursor.ok_or_else(refuse_foreign)?)
        }
        None => None,
    };
    let browse = Browse {
        selection: selection(app, no, filter).await?,
        from: window.from,
        until: window.until,
        after: cursor.map_or(After::Nothing, |cursor| After::Place(cursor.after)),
        visible: cursor.map_or(Visible::Now, |cursor| Visible::Until(cursor.watermark)),
        limit,
    };
    let rows = events::read(Arc::clone(app), browse).await?;
    let more = rows.last()?.zip(rows.watermark).filter(|_| rows.has_more);
    let next_cursor = more.map(|(after, watermark)| {
        let cursor = Cursor { after, watermark };
        cursor.sign(&app.cursors, &scope)
    });
    respond(app, &rows, |page| Page {
        next_cursor,
        ..page
    })
    .await
}

async fn sync(
    app: &Arc<App>,
    no: i32,
    since: Timestamp,
    after: Option<String>,
    filter: &Filter,
    limit: i64,
) -> Result<Response, ApiError> {
    let sync = Sync {
        selection: selection(app, no, filter).await?,
        since,
        // A text that is no id is an unknown one.
        after: after
            .as_deref()
            .map(|text| events::parse_event_id(text).unwrap_or_default()),
        limit,
    };
    let turn = app
        .report_turns
        .take(no)
        .await
        .ok_or_else(refusals::report_busy)?;
    let rows = reading::attend(app, turn, move |connection| {
        async move { sync.read(connection).await }.boxed()
    });
    let rows = rows.await?;
    // Without an event, the client keeps what it has.
    let (next_since, after_event_id) = match rows.last()? {
        Some(Place { at, id }) => (at, Some(events::event_id_text(id))),
        None => (since, after),
    };
    respond(app, &rows, |page| Page {
        next_since: Some(events::instant_text(next_since)),
        after_event_id,
        ..page
    })
    .await
}

async fn respond(
    app: &App,
    rows: &Found,
    with_position: impl FnOnce(Page<'_>) -> Page<'_>,
) -> Result<Response, ApiError> {
    let mut codes = Codes::default();
    codes.learn(app.main.pool()?, &rows.rows).await?;
    let data = rows.rows.iter().map(|row| Event::of(row, &codes));
    let page = with_position(Page {
        data: data.collect::<sqlx::Result<_>>()?,
        has_more: rows.has_more,
        next_cursor: None,
        next_since: None,
        after_event_id: None,
    });
    let body = serde_json::to_vec(&page).map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}
