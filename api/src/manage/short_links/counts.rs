//! What a link has had, in the answers that ask for it.

use super::WireShortLink;
use crate::{
    app::App, auth::Access, catalog::OF_LINKS, manage::counts, number::Number, query::Tallied,
};
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

/// The links, with their counts if the request includes them.
pub(super) async fn with_counts(
    app: &App,
    access: &Access,
    links: Vec<WireShortLink>,
    wanted: bool,
) -> Result<Vec<ReadLink>, ApiError> {
    let tallied = if wanted && !links.is_empty() {
        let ids = links.iter().map(|link| link.id).collect();
        counts::count(app, access, &OF_LINKS, ids).await?
    } else {
        None
    };
    let read = links.into_iter().map(|link| ReadLink {
        counts: wanted.then(|| {
            let counts = tallied.as_ref();
            counts
                .map(|tallied| Counts::of(link.id, tallied))
                .unwrap_or_default()
        }),
        link,
    });
    Ok(read.collect())
}
