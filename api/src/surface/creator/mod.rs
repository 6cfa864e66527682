//! The creator surface: `{"success":true,"data":…}`, windows of whole days back from now, the first
//! page of the caller unless another is named.

mod days;
mod window;

use super::Dialect;
use crate::{
    app::App,
    catalog::{Param, Report, Scope},
    extract::Query,
    guard::Caller,
    query::{Asked, Grant, Object},
    refusals, store,
};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use runtime::http::{ApiError, ok};

/// The dialect of `/api/v1/creators/...`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creator;

impl Dialect for Creator {
    fn read(report: &Report, query: &Query, now: Timestamp) -> Result<Asked, ApiError> {
        let takes = |param| report.params.contains(&param);
        let days = if takes(Param::Days) {
            days::read(query.first("days").as_deref())
        } else {
            days::DEFAULT
        };
        let page_id = if takes(Param::BioPageId) {
            query.uuid("bioPageId")?
        } else {
            None
        };
        Ok(Asked {
            since: window::begin(now, days),
            days,
            page_id,
        })
    }

    async fn grant(
        app: &App,
        report: &Report,
        caller: &Caller,
        asked: &Asked,
    ) -> Result<Grant, ApiError> {
        let granted = store::creators::grant(app.main.pool()?, &caller.sub, asked.page_id)
            .await?
            .ok_or_else(refusals::creator_not_found)?;
        let scope_id = match report.scope {
            Scope::Page => granted
                .page_id
                .ok_or_else(refusals::reported_page_not_found)?,
        };
        Ok(Grant {
            workspace_no: granted.workspace_no,
            creator_id: granted.creator_id,
            scope_id,
        })
    }

    fn respond(data: Object) -> Response {
        ok(data).into_response()
    }
}
