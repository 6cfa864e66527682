//! Time buckets: divide a window into the rows of a series.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

/// A way to divide a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buckets {
    /// An hour of a day in the zone. An hour that clocks repeat is two buckets.
    Hour,
    /// A calendar day in the zone.
    Day,
    /// A calendar month in the zone.
    Month,
    /// One of the 168 hours of a week in the zone, from Monday's first, added up over all weeks.
    HourOfWeek,
}

/// One bucket. The surface decides how to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// The local start of the hour.
    Hour(DateTime),
    /// The local day.
    Day(Date),
    /// The first local day of the month.
    Month(Date),
    /// The day of the week and its hour, 0 to 23.
    HourOfWeek(Weekday, i8),
}

/// The instants at which buckets change. Computed here, because the database may have another
/// version of the zone data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The start of each interval, ascending; the first is the start of the window.
    pub edges: Vec<Timestamp>,
    /// The bucket of the interval after each edge, as an index into `buckets`. A bucket may have
    /// several intervals.
    pub begins: Vec<usize>,
    /// The buckets, in the order of their rows.
    pub buckets: Vec<Bucket>,
}

/// The days of the week, in the order of their rows.
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
/// Every offset of a current zone is a multiple of this, in seconds.
const QUARTER: i64 = 15 * 60;

impl Buckets {
    /// The sizes that a request may choose.
    pub const SIZES: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// Its name in requests and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::HourOfWeek => "hour_of_week",
        }
    }

    /// True when each bucket is one interval of time.
    #[must_use]
    pub const fn are_intervals(self) -> bool {
        !matches!(self, Self::HourOfWeek)
    }

    /// The buckets of a window. Instants after its end belong to the last one.
    #[must_use]
    pub fn timeline(self, zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
        match self {
            Self::Hour => hours(zone, since, until),
            Self::Day => days(zone, since, until),
            Self::Month => months(zone, since, until),
            Self::HourOfWeek => hours_of_week(zone, since, until),
        }
    }
}

fn days(zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
    let mut date = since.to_zoned(zone.clone()).date();
    let mut timeline = Timeline {
        edges: vec![since],
        begins: vec![0],
        buckets: vec![Bucket::Day(date)],
    };
    while let Ok(next) = date.tomorrow() {
        date = next;
        // The first instant with this date, also where clocks skip midnight.
        let Ok(begin) = date.to_zoned(zone.clone()) else {
            break;
        };
        if begin.timestamp() > until {
            break;
        }
        // A zone that moves across the date line skips a day, so this date does not exist.
        if begin.date() != date {
            continue;
        }
        timeline.edges.push(begin.timestamp());
        timeline.begins.push(timeline.buckets.len());
        timeline.buckets.push(Bucket::Day(date));
    }
    timeline
}

/// The next quarter of an hour after an instant.
fn next_quarter(at: Timestamp) -> Timestamp {
    let quarter = at.as_second().div_euclid(QUARTER).saturating_add(1);
    Timestamp::from_second(quarter.saturating_mul(QUARTER)).unwrap_or(Timestamp::MAX)
}

/// Local hours. They begin at a quarter, since every offset is a multiple of one.
fn hours(zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
    let mut timeline = Timeline {
        edges: Vec::new(),
        begins: Vec::new(),
        buckets: Vec::new(),
    };
    let mut former = None;
    let mut at = since;
    while at <= until && at < Timestamp::MAX {
        let local = at.to_zoned(zone.clone());
        let (date, hour) = (local.date(), local.hour());
        // The offset distinguishes an hour from its repetition.
        let this = (date, hour, local.offset());
        if former != Some(this) {
            former = Some(this);
            timeline.edges.push(at);
            timeline.begins.push(timeline.buckets.len());
            timeline.buckets.push(Bucket::Hour(date.at(hour, 0, 0, 0)));
        }
        at = next_quarter(at);
    }
    timeline
}

/// The months of the window's days.
fn months(zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
    let days = days(zone, since, until);
    let mut timeline = Timeline {
        edges: Vec::new(),
        begins: Vec::new(),
        buckets: Vec::new(),
    };
    for (edge, bucket) in days.edges.into_iter().zip(days.buckets) {
        let Bucket::Day(date) = bucket else { continue };
        let month = Bucket::Month(date.first_of_month());
        if timeline.buckets.last() != Some(&month) {
            timeline.edges.push(edge);
            timeline.begins.push(timeline.buckets.len());
            timeline.buckets.push(month);
        }
    }
    timeline
}

fn hours_of_week(zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
    let hours = |day| (0..24).map(move |hour| Bucket::HourOfWeek(day, hour));
    let mut timeline = Timeline {
        edges: Vec::new(),
        begins: Vec::new(),
        buckets: WEEK.into_iter().flat_map(hours).collect(),
    };
    let mut at = since;
    while at <= until && at < Timestamp::MAX {
        let local = zone.to_datetime(at);
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
        let bucket = day * 24 + usize::try_from(local.hour()).unwrap_or_default();
        if timeline.begins.last() != Some(&bucket) {
            timeline.edges.push(at);
            timeline.begins.push(bucket);
        }
        at = next_quarter(at);
    }
    timeline
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// The bucket of an instant.
    fn bucket(timeline: &Timeline, at: Timestamp) -> Bucket {
        let after = timeline.edges.partition_point(|edge| *edge <= at);
        timeline.buckets[timeline.begins[after - 1]]
    }

    #[test]
    fn every_instant_is_in_the_bucket_of_its_local_time() {
        let since: Timestamp = "2026-02-20T10:15:00Z".parse().unwrap();
        let until: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        // Half and three-quarter hours, half an hour of summer time, midnights that do not exist.
        for name in [
            "UTC",
            "Europe/Istanbul",
            "Europe/Berlin",
            "America/St_Johns",
            "Asia/Kathmandu",
            "Pacific/Chatham",
            "Australia/Lord_Howe",
            "America/Asuncion",
            "Africa/Cairo",
            "Asia/Beirut",
        ] {
            let zone = zone(name);
            let days = Buckets::Day.timeline(&zone, since, until);
            let hours = Buckets::HourOfWeek.timeline(&zone, since, until);
            let months = Buckets::Month.timeline(&zone, since, until);
            let single = Buckets::Hour.timeline(&zone, since, until);
            assert!(days.edges.is_sorted() && hours.edges.is_sorted());
            assert!(months.edges.is_sorted() && single.edges.is_sorted());
            let mut at = since;
            while at < until {
                let local = at.to_zoned(zone.clone());
                assert_eq!(bucket(&days, at), Bucket::Day(local.date()), "{name} {at}");
                let hour = Bucket::HourOfWeek(local.weekday(), local.hour());
                assert_eq!(bucket(&hours, at), hour, "{name} {at}");
                let month = Bucket::Month(local.date().first_of_month());
                assert_eq!(bucket(&months, at), month, "{name} {at}");
                let hour = local.date().at(local.hour(), 0, 0, 0);
                assert_eq!(bucket(&single, at), Bucket::Hour(hour), "{name} {at}");
                at += SignedDuration::from_mins(7);
            }
        }
    }

    #[test]
    fn a_day_on_which_clocks_change_has_23_or_25_hours() {
        let zone = zone("America/New_York");
        for (date, hours) in [("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)] {
            let date: Date = date.parse().unwrap();
            let begin = |date: Date| date.to_zoned(zone.clone()).unwrap().timestamp();
            let last = begin(date.tomorrow().unwrap()) - SignedDuration::from_micros(1);
            let timeline = Buckets::Hour.timeline(&zone, begin(date), last);
            assert_eq!(timeline.buckets.len(), hours, "{date}");
        }
    }

    #[test]
    fn a_day_that_a_zone_skipped_has_no_bucket() {
        // In December 2011 Samoa skipped the 30th.
        let since = "2011-12-28T00:00:00Z".parse().unwrap();
        let until = "2012-01-02T00:00:00Z".parse().unwrap();
        let days = Buckets::Day.timeline(&zone("Pacific/Apia"), since, until);
        let has = |day: i8| {
            let date = Date::constant(2011, 12, day);
            days.buckets.contains(&Bucket::Day(date))
        };
        assert!(has(29) && !has(30) && has(31), "{days:?}");
    }
}
