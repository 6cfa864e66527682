//! The workspace surface: how requests for reports about links are read.
//!
//! Windows are whole days of a time zone, by default that of the workspace. The guard has found the
//! workspace; what a path or parameter names must be in it, else it is not found.

mod interval;
mod narrow;
pub(super) mod openapi;
mod prices;
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
use interval::Interval;
use interval::LEAST;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use runtime::http::{ApiError, validate::parse_uuid};
use schemas::{analytics::Buckets, money::Currency};
use std::sync::Arc;
use window::Comparison;

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
            interval: text(Param::Interval),
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
            .then(|| granularity(text(Param::Granularity).as_deref(), window));
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
            from_first: window.interval == Some(Interval::All),
            ..Asked::plain(given.now, window.range, 0)
        })
    }

    async fn grant(
        app: &App,
        report: &Report,
        given: Given<'_>,
        asked: &Asked,
    ) -> Result<Grant, ApiError> {
        let workspace = &given.access.tenant()?.workspace;
        let mut within = narrow::read(app, asked, workspace.id).await?;
        let (scope_id, subject) = match report.scope {
            Scope::Link => {
                let id = given.object.get(refusals::short_link_not_found)?;
                let link = narrow::link(app, id, workspace.id).await?;
                let subject = subject::read(app, link, workspace.id).await?;
                (Some(id), Some(subject))
            }
            Scope::Qr => {
                let id = given.object.get(refusals::qr_not_found)?;
                let qr = store::qr_codes::find(app.main.pool()?, id, workspace.id).await?;
                let qr = qr.ok_or_else(refusals::qr_not_found)?;
                // The index of the link's clicks finds those of its QR code.
                within.push((Scope::Link, vec![qr.link_id]));
                (Some(id), Some(subject::of_qr(&qr)))
            }
            // No report of this surface is about one page or one campaign; without an id it would
            // be empty.
            Scope::Page | Scope::Campaign | Scope::Workspace => (None, None),
        };
        let until = asked.window.until.unwrap_or(asked.now);
        // A window ends just before this.
        let last = until.saturating_sub(LEAST).unwrap_or(until);
        let day = last.to_zoned(asked.zone.clone()).date();
        let (prices, unpriced) = if report.shows_costs() {
            let own = Currency::from_code(&workspace.default_currency);
            let own = own.unwrap_or(Currency::USD);
            prices::read(app.main.pool()?, workspace.id, own, day).await?
        } else {
            (Arc::default(), 0)
        };
        Ok(Grant {
            workspace_no: workspace.number(),
            owner_id: workspace.id,
            scope_id,
            within,
            subject,
            money: money(app, asked.currency, day).await?,
            prices,
            unpriced,
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

/// The currency of a workspace at the rate of its present day, in which reports show amounts by
/// default.
pub(crate) async fn own_money(
    app: &App,
    workspace: &store::workspaces::Workspace,
    now: Timestamp,
) -> Result<Money, ApiError> {
    let currency = Currency::from_code(&workspace.default_currency);
    let zone = zone::read(&workspace.timezone).unwrap_or(TimeZone::UTC);
    let day = now.to_zoned(zone).date();
    money(app, currency.unwrap_or(Currency::USD), day).await
}

/// The currency at the rate of a day, or dollars where no rate is known.
async fn money(app: &App, currency: Currency, day: Date) -> Result<Money, ApiError> {
    if currency == Currency::USD {
        return Ok(Money::default());
    }
    let mut tx = app.main.pool()?.begin().await?;
    let rate = store::fx::find(&mut tx, currency, day).await?;
    Ok(rate.map_or_else(Money::default, |(_, rate)| Money::new(currency, rate)))
}

/// The buckets of a series. An unknown size means days. Hours of more than a week become days, and
/// days of more than a year months. A named window chooses its own size.
fn granularity(word: Option<&str>, window: window::Read) -> Buckets {
    let days = window.length();
    let word = match word {
        None if window.interval.is_some() => match days {
            ..=2 => Buckets::Hour.name(),
            3..=180 => Buckets::Day.name(),
            _ => Buckets::Month.name(),
        },
        word => word.unwrap_or_default(),
    };
    let mut sizes = Buckets::SIZES.into_iter();
    let size = sizes.find(|size| size.name() == word);
    match size.unwrap_or(Buckets::Day) {
        Buckets::Hour | Buckets::Day if days > i64::from(window::MAX) + 1 => Buckets::Month,
        Buckets::Hour if days > MOST_DAYS_OF_HOURS => Buckets::Day,
        size => size,
    }
}

/// Most days of a window with buckets of an hour.
const MOST_DAYS_OF_HOURS: i64 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn size(days: Option<&str>, interval: Option<&str>, word: Option<&str>) -> Buckets {
        let words = window::Words {
            days: days.map(str::to_owned),
            interval: interval.map(str::to_owned),
            ..window::Words::default()
        };
        let now = "2026-03-31T12:00:00Z".parse().unwrap();
        let window = window::read(&words, &TimeZone::UTC, now, &mut Vec::new());
        granularity(word, window.unwrap())
    }

    #[test]
    fn buckets_are_days_unless_the_request_names_another_size_that_fits() {
        for (word, days, buckets) in [
            (None, "30", Buckets::Day),
            (None, "1", Buckets::Day),
            (Some("day"), "30", Buckets::Day),
            (Some("hour"), "7", Buckets::Hour),
            (Some("hour"), "8", Buckets::Day),
            (Some("month"), "30", Buckets::Month),
            (Some("year"), "30", Buckets::Day),
            (Some("hour_of_week"), "30", Buckets::Day),
        ] {
            assert_eq!(size(Some(days), None, word), buckets, "{word:?} {days}");
        }
    }

    #[test]
    fn a_named_window_chooses_the_size_of_its_buckets() {
        for (interval, word, buckets) in [
            ("24h", None, Buckets::Hour),
            ("7d", None, Buckets::Day),
            ("90d", None, Buckets::Day),
            ("1y", None, Buckets::Month),
            ("all", None, Buckets::Month),
            ("1y", Some("day"), Buckets::Day),
            ("all", Some("day"), Buckets::Month),
            ("all", Some("hour"), Buckets::Month),
            ("24h", Some("day"), Buckets::Day),
        ] {
            assert_eq!(size(None, Some(interval), word), buckets, "{interval}");
        }
    }
}
