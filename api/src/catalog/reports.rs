//! The reports, one row each.

use super::{
    Breakdown, Entity, Field, Metric, Param, PerUser, Ranking, Report, Scope, Shape, Surface,
    Total,
    dimensions::{LINK, REFERRER_DOMAIN},
    metrics::{CLICK_THROUGH, CLICKS, SHARE_OF_RETURNED_VISITS, UNIQUE_VISITORS, VIEWS, VISITS},
};

/// What every creator report takes (contract 3, decision 6).
const CREATOR_PARAMS: &[Param] = &[Param::Days, Param::BioPageId];
/// How often a creator may ask each of them (contract 3).
const CREATOR_LIMIT: PerUser = PerUser {
    count: 60,
    seconds: 60,
};

const fn field(name: &'static str, metric: &'static Metric) -> Field {
    Field { name, metric }
}

static COUNT_OF_VIEWS: Metric = Metric::Plain(&VIEWS);
static COUNT_OF_CLICKS: Metric = Metric::Plain(&CLICKS);
static COUNT_OF_VISITS: Metric = Metric::Plain(&VISITS);
static COUNT_OF_VISITORS: Metric = Metric::Plain(&UNIQUE_VISITORS);

/// Every report of every surface.
pub static REPORTS: &[Report] = &[
    Report {
        id: "creators.analytics.overview",
        surface: Surface::Creator,
        path: "/api/v1/creators/analytics/overview",
        shape: Shape::Total(Total {
            metrics: &[
                field("totalViews", &COUNT_OF_VIEWS),
                field("uniqueVisitors", &COUNT_OF_VISITORS),
                field("totalClicks", &COUNT_OF_CLICKS),
                field("ctr", &CLICK_THROUGH),
            ],
            echo: &[Param::Days],
        }),
        scope: Scope::Page,
        params: CREATOR_PARAMS,
        limit: CREATOR_LIMIT,
        summary: "Views, visitors, clicks and click-through rate of a page.",
    },
    Report {
        id: "creators.analytics.traffic",
        surface: Surface::Creator,
        path: "/api/v1/creators/analytics/traffic",
        shape: Shape::Breakdown(Breakdown {
            list: "sources",
            dimension: &REFERRER_DOMAIN,
            label: "source",
            null_label: "direct",
            metrics: &[
                field("visits", &COUNT_OF_VISITS),
                field("percentage", &SHARE_OF_RETURNED_VISITS),
            ],
            top: Some(15),
        }),
        scope: Scope::Page,
        params: CREATOR_PARAMS,
        limit: CREATOR_LIMIT,
        summary: "The domains that most visits of a page came from.",
    },
    Report {
        id: "creators.analytics.links",
        surface: Surface::Creator,
        path: "/api/v1/creators/analytics/links",
        shape: Shape::Ranking(Ranking {
            list: "links",
            dimension: &LINK,
            entity: Entity::Link,
            metrics: &[
                field("clicks", &COUNT_OF_CLICKS),
                field("ctr", &CLICK_THROUGH),
            ],
            totals: &[field("totalViews", &COUNT_OF_VIEWS)],
        }),
        scope: Scope::Page,
        params: CREATOR_PARAMS,
        limit: CREATOR_LIMIT,
        summary: "The links of a page that were clicked, and how often.",
    },
];
