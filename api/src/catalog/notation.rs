//! How each surface writes parameters and time buckets, which its reports have in common with others.
//!
//! The one rule: a row of the catalogue names a [`Param`], never its name on the wire.

use jiff::civil::Weekday;
use schemas::analytics::Bucket;

/// A family of routes with one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// `/api/v1/creators/...`: the creator's own pages.
    Creator,
}

/// Something that a request may say about its report. Each surface has its own name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// How many days back the window begins.
    Days,
    /// The page; by default the caller's first one.
    Page,
    /// The time zone of days and hours; UTC by default.
    Timezone,
    /// Adds the previous window to the answer.
    Compare,
    /// The dimension to break down by.
    Dimension,
    /// The report to export.
    Export,
}

/// How a surface writes what its reports have in common with those of other surfaces.
#[derive(Clone, Copy, Debug)]
pub struct Notation {
    /// The name of a parameter, in the query and where an answer repeats it.
    pub param: fn(Param) -> &'static str,
    /// The name of a time bucket.
    pub bucket: fn(Bucket) -> String,
    /// Most days of a window.
    pub max_days: u16,
}

impl Surface {
    /// How the surface writes parameters and buckets, and its longest window.
    #[must_use]
    pub const fn notation(self) -> Notation {
        match self {
            Self::Creator => CREATOR,
        }
    }
}

/// How creators' reports write parameters and buckets. The original publishes the longest window.
const CREATOR: Notation = Notation {
    param: name,
    bucket: spell,
    max_days: 365,
};

/// The name of a parameter.
const fn name(param: Param) -> &'static str {
    match param {
        Param::Days => "days",
        Param::Page => "bioPageId",
        Param::Timezone => "timezone",
        Param::Compare => "compare",
        Param::Dimension => "dimension",
        Param::Export => "type",
    }
}

/// A day as UTC midnight of its date, whatever the zone; an hour of the week as `Mon 09:00`.
fn spell(bucket: Bucket) -> String {
    match bucket {
        Bucket::Day(date) => format!("{date}T00:00:00.000Z"),
        Bucket::HourOfWeek(day, hour) => {
            let day = match day {
                Weekday::Monday => "Mon",
                Weekday::Tuesday => "Tue",
                Weekday::Wednesday => "Wed",
                Weekday::Thursday => "Thu",
                Weekday::Friday => "Fri",
                Weekday::Saturday => "Sat",
                Weekday::Sunday => "Sun",
            };
            format!("{day} {hour:02}:00")
        }
    }
}
