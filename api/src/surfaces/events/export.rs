//! Answers `GET /link/external/v1/analytics/events/export`: a file of events.

use super::{
    limits::{self, Scope},
    params::{self, Window},
    refuse_foreign, selection,
};
use crate::{
    app::App,
    auth::Access,
    events::{self, After, Browse, Export, Format, Snapshot, Visible},
    extract::Query,
};
use axum::{
    extract::State,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, tz::TimeZone};
use runtime::http::ApiError;
use std::sync::Arc;

/// The name of the state that a file has, with which an interrupted download is resumed.
pub(super) const SNAPSHOT: &str = "x-snapshot-id";

/// Answers a request for a file.
pub(super) async fn export_events(
    State(app): State<Arc<App>>,
    access: Access,
    query: Result<Query, ApiError>,
) -> Response {
    let tenant = match access.tenant() {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let no = tenant.workspace.number();
    let answered = async { export(&app, no, params::Export::read(&query?)?).await };
    limits::within(&app, tenant, Scope::Export, answered).await
}

async fn export(app: &Arc<App>, no: i32, asked: params::Export) -> Result<Response, ApiError> {
    let scope = asked.filter.scope(no, asked.window);
    let snapshot = match &asked.snapshot {
        Some(text) => {
            let snapshot = Snapshot::open(&app.cursors, &scope, text);
            Some(snapshot.ok_or_else(refuse_foreign)?)
        }
        None => None,
    };
    let after = asked.after.as_deref().map(|text| {
        let id = events::parse_event_id(text);
        id.map(After::Event).ok_or_else(refuse_foreign)
    });
    let browse = Browse {
        selection: selection(app, no, &asked.filter).await?,
        from: asked.window.from,
        until: asked.window.until,
        after: after.transpose()?.unwrap_or(After::Nothing),
        visible: match snapshot {
            None => Visible::Now,
            Some(Snapshot(None)) => Visible::Nothing,
            Some(Snapshot(Some(watermark))) => Visible::Until(watermark),
        },
        limit: 0,
    };
    let (format, media_type, ending) = if asked.is_csv {
        (Format::Csv, "text/csv; charset=utf-8", "csv")
    } else {
        (Format::Json, "application/x-ndjson", "ndjson")
    };
    let is_resumed = asked.after.is_some();
    let export = Export::begin(Arc::clone(app), browse, format, is_resumed).await?;
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, file_name(asked.window, ending)),
        (
            HeaderName::from_static(SNAPSHOT),
            Snapshot(export.watermark).sign(&app.cursors, &scope),
        ),
    ];
    Ok((headers, export.body).into_response())
}

/// Named after the first and the last day, in UTC.
fn file_name(window: Window, ending: &str) -> String {
    let last = window.until - SignedDuration::from_micros(1);
    let [from, to] = [window.from, last].map(|at| at.to_zoned(TimeZone::UTC).date());
    format!("attachment; filename=\"analytics-{from}_{to}.{ending}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_first_and_last_day() {
        let window = Window {
            from: "2026-01-01T00:00:00Z".parse().unwrap(),
            until: "2026-04-01T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(
            file_name(window, "csv"),
            "attachment; filename=\"analytics-2026-01-01_2026-03-31.csv\""
        );
    }
}
