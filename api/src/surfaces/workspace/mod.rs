//! The workspace surface: how requests for reports about links are read.
//!
//! Windows are whole days of a time zone, by default that of the workspace. The guard has found the
//! workspace; what a path or parameter names must be in it, else it is not found.

mod narrow;
pub(super) mod openapi;
mod subject;
mod window;

use super::{filters, zone};
use crate::{
    app::App,
    catalog::{Param, Report, Scope},
    extract::Query,
    query::{Asked, Dialect, Given, Grant, Money},
    refusals, store,
};
use axum::response::Response;
use jiff::{Timestamp, tz::TimeZone};
use runtime::http::{ApiError, validate::parse_uuid};
use schemas::{analytics::Buckets, money::Currency};
use uuid::Uuid;
use window::{Comparison, LEAST};

/// The dialect of `/api/analytics/...`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workspace;

impl Dialect for Workspace {
    fn read(report: &'static Report, given: Given<'_>) -> Result<Asked, ApiError> {
        let workspace = &given.access.tenant()?.workspace;
        let mut problems = Vec::new();
        let conditions = filters::read(report, given.query, &mut problems);
        // A parameter that the row lacks is ignored here; `filters::read` has reported it.
        let text = |param: Param| {
            let takes = report.params.contains(&param);
            takes
                .then(|| given.query.first(report.param_name(param)))
                .flatten()
        };
        // A zone or currency that is unknown means the default: a dashboard keeps its numbers when
        // a browser has a newer list of them.
        let zone = text(Param::Timezone).and_then(|name| zone::read(&name));
        let zone = zone.or_else(|| zone::read(&workspace.timezone));
        let zone = zone.unwrap_or(TimeZone::UTC);
        let currency = text(Param::Currency).and_then(|code| Currency::from_code(&code));
        let currency = currency.or_else(|| Currency::from_code(&workspace.default_currency));
        let mut id = |param: Param| {
            let text = text(param)?;
            let id = parse_uuid(&text);
            if id.is_none() {
                problems.push(format!("{} must be a UUID", report.param_name(param)));
            }
            id
        };
        let (campaign_id, link_id) = (id(Param::Campaign), id(Param::Link));
        let mut ids = |param: Param| narrow::ids(report, param, given.query, &mut problems);
        let (folders, tags) = (ids(Param::Folder), ids(Param::Tag));
        let asked = window::Words {
            days: text(Param::Days),
            start: text(Param::Start),
            end: text(Param::End),
        };
        let window = window::read(&asked, &zone, given.now, &mut problems);
        let compare = match text(Param::Compare) {
            None => Some(Comparison::Previous),
            Some(word) => Comparison::named(&word),
        };
        if compare.is_none() {
            problems.push("compare must be previous, yoy or none".to_owned());
        }
        let bots = text(Param::Bots).unwrap_or_else(|| "false".to_owned());
        if bots != "true" && bots != "false" {
            problems.push("includeBots must be true or false".to_owned());
        }
        let (Some(window), Some(compare), true) = (window, compare, problems.is_empty()) else {
            return Err(ApiError::validation(problems));
        };
        let takes = |param: Param| report.params.contains(&param);
        let before = takes(Param::Compare).then(|| compare.before(window, &zone));
        let buckets = takes(Param::Granularity)
            .then(|| granularity(text(Param::Granularity).as_deref(), window.length()));
        Ok(Asked {
            before: before.flatten(),
            campaign_id,
            link_id,
            folders,
            tags,
            bots: bots == "true",
            zone,
            buckets,
            currency: currency.unwrap_or(Currency::USD),
            conditions,
            ..Asked::plain(given.now, window.range, window.days)
        })
    }

    async fn grant(
        app: &App,
        report: &Report,
        given: Given<'_>,
        asked: &Asked,
    ) -> Result<Grant, ApiError> {
        let workspace = &given.access.tenant()?.workspace;
        let within = narrow::read(app, asked, workspace.id).await?;
        let (scope_id, subject) = match report.scope {
            Scope::Link => {
                let id = given.object.get(refusals::short_link_not_found)?;
                let link = narrow::link(app, id, workspace.id).await?;
                let subject = subject::read(app, link, workspace.id).await?;
                (Some(id), Some(subject))
            }
            // No report of this surface is about one page or one campaign; without an id it would
            // be empty.
            Scope::Page | Scope::Campaign | Scope::Workspace => (None, None),
        };
        let until = asked.window.until.unwrap_or(asked.now);
        Ok(Grant {
            workspace_no: workspace.number(),
            owner_id: workspace.id,
            scope_id,
            within,
            subject,
            money: money(app, asked.currency, until, &asked.zone).await?,
        })
    }

    fn no_such_choice(_: &Report, _: &Query, _: &Asked) -> Result<Response, ApiError> {
        Err(ApiError::internal("no report of workspaces has a choice"))
    }

    fn respond_csv(_: String, _: &Asked) -> Response {
        use axum::response::IntoResponse;
        ApiError::internal("no report of workspaces is a file").into_response()
    }
}

/// The currency at the rate of the window's last day, or dollars where no rate is known.
async fn money(
    app: &App,
    currency: Currency,
    until: Timestamp,
    zone: &TimeZone,
) -> Result<Money, ApiError> {
    if currency == Currency::USD {
        return Ok(Money::default());
    }
    // A window ends just before this.
    let last = until.saturating_sub(LEAST).unwrap_or(until);
    let day = last.to_zoned(zone.clone()).date();
    let mut tx = app.main.pool()?.begin().await?;
    let rate = store::fx::find(&mut tx, currency, day).await?;
    Ok(rate.map_or_else(Money::default, |(_, rate)| Money::new(currency, rate)))
}

/// The buckets of a series. An unknown size means days, and so do hours of more than a week.
fn granularity(word: Option<&str>, days: i64) -> Buckets {
    let mut sizes = Buckets::SIZES.into_iter();
    match sizes.find(|size| Some(size.name()) == word) {
        Some(Buckets::Hour) if days > MOST_DAYS_OF_HOURS => Buckets::Day,
        known => known.unwrap_or(Buckets::Day),
    }
}

/// Most days of a window with buckets of an hour.
const MOST_DAYS_OF_HOURS: i64 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_days_unless_the_request_names_another_size_that_fits() {
        for (word, days, buckets) in [
            (None, 30, Buckets::Day),
            (Some("day"), 30, Buckets::Day),
            (Some("hour"), 7, Buckets::Hour),
            (Some("hour"), 8, Buckets::Day),
            (Some("month"), 30, Buckets::Month),
            (Some("year"), 30, Buckets::Day),
            (Some("hour_of_week"), 30, Buckets::Day),
        ] {
            assert_eq!(granularity(word, days), buckets, "{word:?} {days}");
        }
    }
}
