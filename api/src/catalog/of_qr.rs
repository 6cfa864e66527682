//! The report about one QR code.

use super::{
    Board, Field, Numbers, Param, Part, Report, Series, Shape, Subject, of_links::OF_WORKSPACE,
    shapes::field,
};
use schemas::analytics::{
    Buckets, Scope,
    metrics::{COUNT_OF_CLICKERS, COUNT_OF_COUNTED_CLICKS, TIME_OF_LAST_CLICK},
};

/// What reports about one QR code share. They count no amounts.
pub(super) const OF_QR: Report = Report {
    scope: Scope::Qr,
    meta: Some(&[]),
    ..OF_WORKSPACE
};

const SCANS_AND_VISITORS: &[Field] = &[
    field("scans", &COUNT_OF_COUNTED_CLICKS),
    field("uniqueScans", &COUNT_OF_CLICKERS),
];

/// A QR code, its scans in the window and of all time, and by time.
pub(super) const SCANS: Shape = Shape::Board(Board {
    parts: &[
        Part::Subject(Subject {
            name: "qr",
            ever: &[field("lastScannedAt", &TIME_OF_LAST_CLICK)],
        }),
        Part::Numbers(Numbers {
            name: "totals",
            metrics: SCANS_AND_VISITORS,
            counts: &[],
        }),
        Part::Ever("allTime", SCANS_AND_VISITORS),
        Part::Series(Series {
            echo: &[],
            list: "timeseries",
            buckets: Buckets::Day,
            filled: true,
            label: "timestamp",
            by: None,
            metrics: SCANS_AND_VISITORS,
        }),
    ],
    echo: &[Param::Granularity],
});
