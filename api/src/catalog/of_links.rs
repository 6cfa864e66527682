//! The reports about the links of a workspace: what their rows have in common, and their parts.

use super::{
    Board, Breakdown, Count, Field, Format, Leader, Leaders, Numbers, Param, Part, Peak, Report,
    Series, Shape, Subject, Surface, Thing, Things, shapes::field,
};
use schemas::analytics::{
    Buckets, Dimension, Scope,
    dimensions::{
        BROWSER, CAMPAIGN, COUNTRY_CODE, DEVICE, LINK, OF_CLICKS, OS, REFERRER, RULE, TRIGGER,
    },
    metrics::{
        AVERAGE_REDIRECT_MS, CONVERSION_RATE, COST_PER_CONVERSION, COUNT_OF_BOT_CLICKS,
        COUNT_OF_CLICKERS, COUNT_OF_CONVERSIONS, COUNT_OF_COUNTED_CLICKS, COUNT_OF_LEADS,
        COUNT_OF_QR_SCANS, COUNT_OF_SALES, COUNT_OF_UNCONVERTED, EARNINGS_PER_CLICK, PROFIT,
        RETURN_ON_INVESTMENT, SHARE_OF_CLICKS, SUM_OF_COST, SUM_OF_REVENUE, TIME_OF_LAST_CLICK,
    },
};

/// Most rows of a list in an overview.
const TOP: u16 = 5;

/// What reports about all links of a workspace share. Two parameters narrow them to a campaign or a
/// link.
pub(super) const OF_WORKSPACE: Report = Report {
    id: "",
    surface: Surface::Workspace,
    path: "",
    shape: OVERVIEW,
    scope: Scope::Workspace,
    params: &[],
    filters: OF_CLICKS,
    format: Format::Json,
    meta: Some(&[field("unconvertedAmounts", &COUNT_OF_UNCONVERTED)]),
    limit: None,
    summary: "",
};

/// What reports about one link share.
pub(super) const OF_LINK: Report = Report {
    scope: Scope::Link,
    ..OF_WORKSPACE
};

const fn leader(name: &'static str, dimension: &'static Dimension) -> Leader {
    Leader {
        name,
        dimension,
        thing: None,
    }
}

const CLICKS_AND_SHARE: &[Field] = &[
    field("clicks", &COUNT_OF_COUNTED_CLICKS),
    field("percentage", &SHARE_OF_CLICKS),
];

/// Clicks, visitors, conversions and revenue of a workspace, with its largest links, campaigns,
/// countries and referrers.
pub(super) const OVERVIEW: Shape = Shape::Board(Board {
    parts: &[
        Part::Numbers(Numbers {
            name: "totals",
            metrics: &[
                field("clicks", &COUNT_OF_COUNTED_CLICKS),
                field("uniqueVisitors", &COUNT_OF_CLICKERS),
                field("qrScans", &COUNT_OF_QR_SCANS),
                field("leads", &COUNT_OF_LEADS),
                field("sales", &COUNT_OF_SALES),
                field("conversions", &COUNT_OF_CONVERSIONS),
                field("revenue", &SUM_OF_REVENUE),
                field("cost", &SUM_OF_COST),
                field("profit", &PROFIT),
                field("roi", &RETURN_ON_INVESTMENT),
                field("cpa", &COST_PER_CONVERSION),
                field("epc", &EARNINGS_PER_CLICK),
                field("conversionRate", &CONVERSION_RATE),
                field("avgRedirectMs", &AVERAGE_REDIRECT_MS),
                field("botClicks", &COUNT_OF_BOT_CLICKS),
            ],
            counts: &[
                ("activeLinks", Count::ActiveLinks),
                ("totalLinks", Count::Links),
                ("totalCampaigns", Count::Campaigns),
            ],
        }),
        Part::Things(Things {
            list: "topLinks",
            dimension: &LINK,
            thing: Thing::Link,
            metrics: CLICKS_AND_SHARE,
            top: TOP,
        }),
        Part::Things(Things {
            list: "topCampaigns",
            dimension: &CAMPAIGN,
            thing: Thing::Campaign,
            metrics: &[
                field("clicks", &COUNT_OF_COUNTED_CLICKS),
                field("conversions", &COUNT_OF_CONVERSIONS),
                field("revenue", &SUM_OF_REVENUE),
                field("percentage", &SHARE_OF_CLICKS),
            ],
            top: TOP,
        }),
        Part::Values(Breakdown {
            echo: &[],
            list: "topCountries",
            dimension: &COUNTRY_CODE,
            label: "country",
            metrics: CLICKS_AND_SHARE,
            top: Some(TOP),
        }),
        Part::Values(Breakdown {
            echo: &[],
            list: "topReferrers",
            dimension: &REFERRER,
            label: "referrer",
            metrics: CLICKS_AND_SHARE,
            top: Some(TOP),
        }),
    ],
    echo: &[Param::Currency],
});

/// The numbers of a workspace by time.
pub(super) const TIMESERIES: Shape = Shape::Series(Series {
    echo: &[Param::Granularity, Param::Currency],
    list: "timeseries",
    buckets: Buckets::Day,
    filled: true,
    label: "timestamp",
    by: None,
    metrics: &[
        field("clicks", &COUNT_OF_COUNTED_CLICKS),
        field("uniqueVisitors", &COUNT_OF_CLICKERS),
        field("leads", &COUNT_OF_LEADS),
        field("sales", &COUNT_OF_SALES),
        field("conversions", &COUNT_OF_CONVERSIONS),
        field("revenue", &SUM_OF_REVENUE),
        field("cost", &SUM_OF_COST),
    ],
});

/// A link, its numbers, and what most of its clicks have in common.
pub(super) const SUMMARY: Shape = Shape::Board(Board {
    parts: &[
        Part::Subject(Subject {
            name: "link",
            ever: &[field("lastClickedAt", &TIME_OF_LAST_CLICK)],
        }),
        Part::Numbers(Numbers {
            name: "totals",
            metrics: &[
                field("clicks", &COUNT_OF_COUNTED_CLICKS),
                field("uniqueClicks", &COUNT_OF_CLICKERS),
                field("qrScans", &COUNT_OF_QR_SCANS),
                field("leads", &COUNT_OF_LEADS),
                field("sales", &COUNT_OF_SALES),
                field("conversions", &COUNT_OF_CONVERSIONS),
                field("revenue", &SUM_OF_REVENUE),
                field("cost", &SUM_OF_COST),
                field("epc", &EARNINGS_PER_CLICK),
                field("conversionRate", &CONVERSION_RATE),
                field("avgRedirectMs", &AVERAGE_REDIRECT_MS),
                field("botClicks", &COUNT_OF_BOT_CLICKS),
            ],
            counts: &[],
        }),
        Part::Ever(
            "allTime",
            &[
                field("clicks", &COUNT_OF_COUNTED_CLICKS),
                field("uniqueClicks", &COUNT_OF_CLICKERS),
                field("conversions", &COUNT_OF_CONVERSIONS),
                field("revenue", &SUM_OF_REVENUE),
            ],
        ),
        Part::Leaders(Leaders {
            name: "top",
            by: &[field("clicks", &COUNT_OF_COUNTED_CLICKS)],
            of: &[
                leader("country", &COUNTRY_CODE),
                leader("referrer", &REFERRER),
                leader("device", &DEVICE),
                leader("browser", &BROWSER),
                leader("os", &OS),
                leader("trigger", &TRIGGER),
                Leader {
                    thing: Some(Thing::Rule),
                    ..leader("rule", &RULE)
                },
            ],
        }),
        Part::Peak(Peak {
            name: "peak",
            label: "timestamp",
            buckets: Buckets::Day,
            metrics: &[field("clicks", &COUNT_OF_COUNTED_CLICKS)],
        }),
    ],
    echo: &[Param::Currency],
});
