//! The reports, one row each.

use super::{
    Breakdown, Choice, Entity, Field, Format, Named, Param, PerUser, Ranking, Report, Series,
    Shape, Surface, Total,
    of_links::{OF_LINK, OF_WORKSPACE, SUMMARY, TIMESERIES},
    of_qr::{OF_QR, SCANS},
    shapes::field,
};
use schemas::analytics::{
    Buckets, Dimension, Scope,
    dimensions::{COUNTRY, DEVICE, LINK, OF_VISITS, REASON, REFERRER},
    metrics::{
        AVERAGE_DURATION, BOUNCE_RATE, CLICK_THROUGH, COUNT_OF_CLICKS, COUNT_OF_REFUSALS,
        COUNT_OF_VIEWS, COUNT_OF_VISITORS, COUNT_OF_VISITS, PAGES_PER_VISIT,
        SHARE_OF_RETURNED_VISITS,
    },
};

/// How often a creator may request each of them.
const CREATOR_LIMIT: PerUser = PerUser {
    count: 60,
    seconds: 60,
};

/// Most rows of a breakdown without a published limit.
const BREAKDOWN_TOP: u16 = 100;

/// What most creator reports share: a page, a window, filters on visits.
const CREATOR: Report = Report {
    id: "",
    surface: Surface::Creator,
    path: "",
    shape: OVERVIEW,
    scope: Scope::Page,
    params: &[Param::Days, Param::Page],
    filters: OF_VISITS,
    format: Format::Json,
    meta: None,
    limit: Some(CREATOR_LIMIT),
    summary: "",
};

const OVERVIEW: Shape = Shape::Total(Total {
    metrics: &[
        field("totalViews", &COUNT_OF_VIEWS),
        field("uniqueVisitors", &COUNT_OF_VISITORS),
        field("totalClicks", &COUNT_OF_CLICKS),
        field("ctr", &CLICK_THROUGH),
    ],
    echo: &[Param::Days],
});

const TRAFFIC: Shape = Shape::Breakdown(Breakdown {
    echo: &[],
    list: "sources",
    dimension: &REFERRER,
    label: "source",
    metrics: VISITS_AND_SHARE,
    top: Some(15),
});

const LINKS: Shape = Shape::Ranking(Ranking {
    list: "links",
    dimension: &LINK,
    entity: Entity::Link,
    metrics: &[
        field("clicks", &COUNT_OF_CLICKS),
        field("ctr", &CLICK_THROUGH),
    ],
    totals: &[field("totalViews", &COUNT_OF_VIEWS)],
});

const VISITS_AND_SHARE: &[Field] = &[
    field("visits", &COUNT_OF_VISITS),
    field("percentage", &SHARE_OF_RETURNED_VISITS),
];

const fn by(dimension: &'static Dimension) -> Named {
    Named {
        name: dimension.id,
        shape: Shape::Breakdown(Breakdown {
            echo: &[Param::Dimension],
            list: "rows",
            dimension,
            label: "value",
            metrics: VISITS_AND_SHARE,
            top: Some(BREAKDOWN_TOP),
        }),
    }
}

/// Visits by the hours of a week.
const BY_HOURS: Named = Named {
    name: "hour_of_week",
    shape: Shape::Series(Series {
        echo: &[Param::Dimension],
        list: "rows",
        buckets: Buckets::HourOfWeek,
        filled: false,
        label: "value",
        by: None,
        metrics: VISITS_AND_SHARE,
    }),
};

/// A breakdown by each dimension of visits, and one by the hours of a week at the end.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it, and refuses an index out of bounds"
)]
static BREAKDOWNS: [Named; OF_VISITS.len() + 1] = {
    let mut all = [BY_HOURS; OF_VISITS.len() + 1];
    let mut number = 0;
    while number < OF_VISITS.len() {
        all[number] = by(OF_VISITS[number]);
        number += 1;
    }
    all
};

/// Every report of every surface.
pub static REPORTS: &[Report] = &[
    Report {
        id: "creators.analytics.overview",
        path: "/api/v1/creators/analytics/overview",
        shape: OVERVIEW,
        params: &[Param::Days, Param::Page, Param::Compare],
        summary: "Views, visitors, clicks and click-through rate of a page.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.traffic",
        path: "/api/v1/creators/analytics/traffic",
        shape: TRAFFIC,
        summary: "The domains that most visits of a page came from.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.geo",
        path: "/api/v1/creators/analytics/geo",
        shape: Shape::Breakdown(Breakdown {
            echo: &[],
            list: "locations",
            dimension: &COUNTRY,
            label: "country",
            metrics: VISITS_AND_SHARE,
            top: Some(20),
        }),
        summary: "The countries that most visits of a page came from.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.devices",
        path: "/api/v1/creators/analytics/devices",
        shape: Shape::Breakdown(Breakdown {
            echo: &[],
            list: "segments",
            dimension: &DEVICE,
            label: "name",
            metrics: &[
                field("count", &COUNT_OF_VISITS),
                field("percentage", &SHARE_OF_RETURNED_VISITS),
            ],
            top: None,
        }),
        summary: "The kinds of devices of a page's visits.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.trend",
        path: "/api/v1/creators/analytics/trend",
        shape: Shape::Series(Series {
            echo: &[Param::Days],
            list: "daily",
            buckets: Buckets::Day,
            filled: false,
            label: "day",
            by: None,
            metrics: &[
                field("views", &COUNT_OF_VIEWS),
                field("clicks", &COUNT_OF_CLICKS),
            ],
        }),
        params: &[Param::Days, Param::Page, Param::Timezone, Param::Compare],
        summary: "Views and clicks of a page by day.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.sessions",
        path: "/api/v1/creators/analytics/sessions",
        shape: Shape::Total(Total {
            metrics: &[
                field("totalSessions", &COUNT_OF_VISITS),
                field("bounceRate", &BOUNCE_RATE),
                field("avgDuration", &AVERAGE_DURATION),
                field("pagesPerSession", &PAGES_PER_VISIT),
            ],
            echo: &[],
        }),
        params: &[Param::Days, Param::Page, Param::Compare],
        summary: "Visits of a page: number, bounce rate, average duration and pages per visit.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.links",
        path: "/api/v1/creators/analytics/links",
        shape: LINKS,
        summary: "The links of a page that were clicked, and how often.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.export",
        path: "/api/v1/creators/analytics/export",
        shape: Shape::Choice(Choice {
            param: Param::Export,
            of: &[
                Named {
                    name: "overview",
                    shape: OVERVIEW,
                },
                Named {
                    name: "traffic",
                    shape: TRAFFIC,
                },
                Named {
                    name: "links",
                    shape: LINKS,
                },
            ],
        }),
        params: &[Param::Days, Param::Page, Param::Export],
        format: Format::Csv,
        summary: "One of three reports as a file of comma-separated values.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.breakdown",
        path: "/api/v1/creators/analytics/breakdown",
        shape: Shape::Choice(Choice {
            param: Param::Dimension,
            of: &BREAKDOWNS,
        }),
        params: &[Param::Days, Param::Page, Param::Timezone, Param::Dimension],
        summary: "Visits of a page by one dimension, largest first.",
        ..CREATOR
    },
    Report {
        id: "creators.analytics.refusals",
        path: "/api/v1/creators/analytics/refusals",
        shape: Shape::Series(Series {
            echo: &[Param::Days],
            list: "daily",
            buckets: Buckets::Day,
            filled: false,
            label: "day",
            by: Some(("reason", &REASON)),
            metrics: &[field("count", &COUNT_OF_REFUSALS)],
        }),
        params: &[Param::Days, Param::Page, Param::Timezone],
        // A refused beacon stores nothing about a visit, so filters on visits cannot apply.
        filters: &[],
        summary: "Beacons for a page that were not counted, by day and reason.",
        ..CREATOR
    },
    Report {
        id: "analytics.workspace.overview",
        path: "/api/analytics/workspace/overview",
        params: &[
            Param::Days,
            Param::Start,
            Param::End,
            Param::Interval,
            Param::Timezone,
            Param::Currency,
            Param::Bots,
            Param::Compare,
            Param::Campaign,
            Param::Link,
            Param::Folder,
            Param::Tag,
        ],
        summary: "Clicks, visitors, conversions and revenue of a workspace's links.",
        ..OF_WORKSPACE
    },
    Report {
        id: "analytics.workspace.timeseries",
        path: "/api/analytics/workspace/timeseries",
        shape: TIMESERIES,
        params: &[
            Param::Days,
            Param::Start,
            Param::End,
            Param::Interval,
            Param::Granularity,
            Param::Timezone,
            Param::Currency,
            Param::Bots,
            Param::Campaign,
            Param::Link,
            Param::Folder,
            Param::Tag,
        ],
        summary: "The numbers of a workspace's links by hour, day or month.",
        ..OF_WORKSPACE
    },
    Report {
        id: "analytics.link.summary",
        path: "/api/analytics/{linkId}/summary",
        shape: SUMMARY,
        params: &[
            Param::Days,
            Param::Start,
            Param::End,
            Param::Interval,
            Param::Timezone,
            Param::Currency,
            Param::Bots,
            Param::Compare,
        ],
        summary: "A link, its numbers, and what most of its clicks have in common.",
        ..OF_LINK
    },
    Report {
        id: "qr.scans",
        path: "/api/qr/{qrId}/scans",
        shape: SCANS,
        params: &[
            Param::Days,
            Param::Start,
            Param::End,
            Param::Interval,
            Param::Granularity,
            Param::Timezone,
            Param::Bots,
            Param::Compare,
        ],
        summary: "The scans of a QR code, in all and by hour, day or month.",
        ..OF_QR
    },
];
