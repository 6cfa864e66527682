//! How each surface writes parameters and time buckets, which its reports have in common with others.
//!
//! The one rule: a row of the catalogue names a [`Param`], never its name on the wire.

use jiff::civil::Weekday;
use schemas::analytics::{Bucket, Rounding};

/// A family of routes with one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// `/api/v1/creators/...`: the creator's own pages.
    Creator,
    /// `/api/analytics/...`: the links of a workspace.
    Workspace,
}

/// Something that a request may say about its report. Each surface has its own name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// How many days back the window begins.
    Days,
    /// The page; by default the caller's first one.
    Page,
    /// The beginning of the window, in place of the number of days.
    Start,
    /// The end of the window; now by default.
    End,
    /// A window with a name, in place of the number of days.
    Interval,
    /// The time zone of days and hours; UTC, or that of the workspace, by default.
    Timezone,
    /// The size of a series' buckets.
    Granularity,
    /// The currency of amounts; that of the workspace by default.
    Currency,
    /// Only the links of this campaign, while they belonged to it.
    Campaign,
    /// Only this link.
    Link,
    /// Only the links that are in these folders now.
    Folder,
    /// Only the links that have one of these tags now.
    Tag,
    /// Whether clicks of machines count too.
    Bots,
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
    /// The pattern of a day's or an hour's name; `None` if it is an instant.
    pub bucket_pattern: Option<&'static str>,
    /// How changes since the previous window are rounded.
    pub change: Rounding,
    /// Most days of a window.
    pub max_days: u16,
    /// Parameters that no report has, and that are ignored all the same.
    pub ignored: &'static [&'static str],
}

impl Surface {
    /// How the surface writes parameters and buckets, and its longest window.
    #[must_use]
    pub const fn notation(self) -> Notation {
        match self {
            Self::Creator => CREATOR,
            Self::Workspace => WORKSPACE,
        }
    }
}

/// How creators' reports write parameters and buckets. The original publishes the longest window.
const CREATOR: Notation = Notation {
    param: name,
    bucket: spell,
    bucket_pattern: None,
    change: Rounding::PERCENT_2,
    max_days: 365,
    // Clients of the original send it although it never had it.
    ignored: &["limit"],
};

/// How workspaces' reports do.
const WORKSPACE: Notation = Notation {
    param: name,
    bucket: spell_local,
    bucket_pattern: Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00\\.000$"),
    change: Rounding::PERCENT_1,
    max_days: 365,
    ignored: &[],
};

/// The name of a parameter.
const fn name(param: Param) -> &'static str {
    match param {
        Param::Days => "days",
        Param::Page => "bioPageId",
        Param::Start => "start",
        Param::End => "end",
        Param::Interval => "interval",
        Param::Timezone => "timezone",
        Param::Granularity => "granularity",
        Param::Currency => "currency",
        Param::Campaign => "campaignId",
        Param::Link => "linkId",
        Param::Folder => "folderId",
        Param::Tag => "tagId",
        Param::Bots => "includeBots",
        Param::Compare => "compare",
        Param::Dimension => "dimension",
        Param::Export => "type",
    }
}

/// A day as UTC midnight of its date, in any zone; an hour of the week as `Mon 09:00`.
fn spell(bucket: Bucket) -> String {
    match bucket {
        Bucket::Hour(at) => at.strftime("%Y-%m-%dT%H:00:00.000Z").to_string(),
        Bucket::Day(date) | Bucket::Month(date) => format!("{date}T00:00:00.000Z"),
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

/// The local time of a bucket's beginning, without an offset.
fn spell_local(bucket: Bucket) -> String {
    let mut name = spell(bucket);
    if name.ends_with('Z') {
        name.pop();
    }
    name
}
