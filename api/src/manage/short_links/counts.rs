//! What a link has had, in the answers that ask for it.

use super::WireShortLink;
use crate::{app::App, catalog::OF_LINKS, manage::counts::Wanted, number::Number, query::Tallied};
use runtime::http::ApiError;
use schemars::JsonSchema;
use schemas::analytics::metrics::{
    COUNT_OF_CLICKERS, COUNT_OF_CONVERSIONS, COUNT_OF_COUNTED_CLICKS, COUNT_OF_LEADS,
    COUNT_OF_SALES, SUM_OF_REVENUE, TIME_OF_LAST_CLICK,
};
use serde::Serialize;
use uuid::Uuid;

/// A link, with its counts if the request includes them.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[schemars(
    rename = "ReadShortLink",
    description = "A link with a short URL. The members from `clicks` on are only there with `include=counts`."
)]
pub(super) struct ReadLink {
    #[serde(flatten)]
    link: WireShortLink,
    #[serde(flatten)]
    counts: Option<Counts>,
}

/// What a link has had, of all time, in the definitions of the reports. All are null while they
/// cannot be read.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    /// Clicks that count, of all time.
    #[schemars(with = "Option<u64>")]
    clicks: Option<Number>,
    /// Visitors of these clicks.
    #[schemars(with = "Option<u64>")]
    unique_clicks: Option<Number>,
    /// Leads, sales and other milestones that count.
    #[schemars(with = "Option<u64>")]
    conversions: Option<Number>,
    #[schemars(with = "Option<u64>")]
    leads: Option<Number>,
    #[schemars(with = "Option<u64>")]
    sales: Option<Number>,
    /// What they earned, without refunds, in `currency`.
    #[schemars(with = "Option<f64>")]
    revenue: Option<Number>,
    /// The currency of the workspace; US dollars, if no rate is known of it.
    currency: Option<&'static str>,
    /// Also null without clicks.
    #[schemars(extend("format" = "date-time"))]
    last_clicked_at: Option<String>,
}

impl Counts {
    fn of(id: Uuid, tallied: &Tallied) -> Self {
        let number = |metric| Some(tallied.number(id, metric));
        Self {
            clicks: number(&COUNT_OF_COUNTED_CLICKS),
            unique_clicks: number(&COUNT_OF_CLICKERS),
            conversions: number(&COUNT_OF_CONVERSIONS),
            leads: number(&COUNT_OF_LEADS),
            sales: number(&COUNT_OF_SALES),
            revenue: number(&SUM_OF_REVENUE),
            currency: Some(tallied.currency()),
            last_clicked_at: tallied.instant(id, &TIME_OF_LAST_CLICK),
        }
    }
}

/// The links, with their counts if the request asks for them.
pub(super) async fn with_counts(
    app: &App,
    links: Vec<WireShortLink>,
    wanted: Option<Wanted<'_>>,
) -> Result<Vec<ReadLink>, ApiError> {
    let tallied = match wanted {
        Some(wanted) if !links.is_empty() => {
            let ids = links.iter().map(|link| link.id).collect();
            wanted.count(app, &OF_LINKS, ids).await?
        }
        _ => None,
    };
    let counts = |id: Uuid| {
        let found = tallied.as_ref().map(|tallied| Counts::of(id, tallied));
        wanted.is_some().then(|| found.unwrap_or_default())
    };
    let read = links.into_iter().map(|link| ReadLink {
        counts: counts(link.id),
        link,
    });
    Ok(read.collect())
}
