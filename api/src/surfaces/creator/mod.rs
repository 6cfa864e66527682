//! The creator surface: how its requests for reports are read.
//!
//! Windows are whole days back from now. The page is the caller's first, unless the request names
//! another.

mod days;
mod export;
pub(super) mod openapi;
mod window;

use super::{filters, zone};
use crate::{
    app::App,
    auth::Role,
    catalog::{Format, Param, Report, Scope, Shape},
    extract::Query,
    query::{Asked, Dialect, Given, Grant, Money},
    refusals,
    sources::Window,
    store,
};
use axum::response::Response;
use jiff::tz::TimeZone;
use runtime::http::{ApiError, validate::parse_uuid};
use std::sync::Arc;

/// The one value of `compare`.
const PREVIOUS: &str = "previous";

/// The dialect of `/api/v1/creators/...`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creator;

impl Dialect for Creator {
    fn read(report: &'static Report, given: Given<'_>) -> Result<Asked, ApiError> {
        let Given { query, now, .. } = given;
        let takes = |param: Param| report.params.contains(&param);
        // A parameter that the row lacks is ignored here; `filters::read` reports it.
        let text = |param: Param| {
            takes(param)
                .then(|| query.first(report.param_name(param)))
                .flatten()
        };
        let mut problems = Vec::new();
        let conditions = filters::read(report, query, &mut problems);
        let days = days::read(text(Param::Days).as_deref());
        let page_id = text(Param::Page).map(|text| parse_uuid(&text));
        if page_id == Some(None) {
            problems.push("bioPageId must be a UUID".to_owned());
        }
        let zone = match text(Param::Timezone) {
            None => Some(TimeZone::UTC),
            Some(name) => zone::read(&name),
        };
        if zone.is_none() {
            problems.push(
                "timezone must be the IANA name of a time zone, such as Europe/Istanbul".to_owned(),
            );
        }
        let compare = text(Param::Compare);
        if compare.as_deref().is_some_and(|text| text != PREVIOUS) {
            problems.push(format!("compare must be {PREVIOUS}"));
        }
        let choice = match &report.shape {
            Shape::Choice(choice) => {
                let given = text(choice.param);
                let named = choice.of.iter().map(|named| named.name);
                named
                    .into_iter()
                    .find(|name| given.as_deref() == Some(name))
            }
            _ => None,
        };
        // Only now, so that one answer reports all problems.
        match (zone, problems.is_empty()) {
            (Some(zone), true) => {
                let window = Window::since(window::begin(now, days));
                Ok(Asked {
                    before: compare.map(|_| window.before(days)),
                    page_id: page_id.flatten(),
                    zone,
                    choice,
                    conditions,
                    ..Asked::plain(now, window, days)
                })
            }
            _ => Err(ApiError::validation(problems)),
        }
    }

    async fn grant(
        app: &App,
        report: &Report,
        given: Given<'_>,
        asked: &Asked,
    ) -> Result<Grant, ApiError> {
        let access = given.access;
        let granted = store::creators::grant(app.main.pool()?, access.user()?, asked.page_id)
            .await?
            .ok_or_else(refusals::creator_not_found)?;
        // The look-up uses the caller's own subject, so the caller is the owner.
        access.check(Role::Owner)?;
        let scope_id = match report.scope {
            Scope::Page => Some(
                granted
                    .page_id
                    .ok_or_else(refusals::reported_page_not_found)?,
            ),
            // No report of this surface is about one link; without an id it would be empty.
            Scope::Link | Scope::Qr | Scope::Campaign | Scope::Workspace => None,
        };
        Ok(Grant {
            workspace_no: granted.workspace_no,
            owner_id: granted.creator_id,
            scope_id,
            within: Vec::new(),
            subject: None,
            money: Money::default(),
            prices: Arc::default(),
            unpriced: 0,
        })
    }

    fn no_such_choice(report: &Report, query: &Query, asked: &Asked) -> Result<Response, ApiError> {
        let Shape::Choice(choice) = &report.shape else {
            return Err(ApiError::internal("only a choice can lack a name"));
        };
        match report.format {
            // As published: an unknown type gives a file that says so.
            Format::Csv => {
                let given = query.first(report.param_name(choice.param));
                Ok(export::no_such_type(given.as_deref(), asked.now))
            }
            Format::Json => {
                let names: Vec<&str> = choice.of.iter().map(|named| named.name).collect();
                let (param, names) = (report.param_name(choice.param), names.join(", "));
                Err(ApiError::validation(vec![format!(
                    "{param} must be one of {names}"
                )]))
            }
        }
    }

    fn respond_csv(text: String, asked: &Asked) -> Response {
        export::file(text, asked.choice.unwrap_or_default(), asked.now)
    }
}
