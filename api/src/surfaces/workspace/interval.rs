//! Windows with a name: `interval=7d` and its like.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};

/// The smallest step of stored times: a window up to an instant includes it.
pub(super) const LEAST: SignedDuration = SignedDuration::from_micros(1);

/// A window with a name. All of them end now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    /// 24 local hours, the present one included.
    Day,
    /// As many local days, today included.
    Days(u16),
    /// From the first day of the month.
    MonthToDate,
    /// From the first day of the quarter.
    QuarterToDate,
    /// From the first day of the year.
    YearToDate,
    /// From the first click.
    All,
}

/// The names, in the order of the document.
pub(super) const NAMES: [&str; 9] = ["24h", "7d", "30d", "90d", "1y", "mtd", "qtd", "ytd", "all"];

impl Interval {
    /// The window with that name.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "24h" => Self::Day,
            "7d" => Self::Days(7),
            "30d" => Self::Days(30),
            "90d" => Self::Days(90),
            "1y" => Self::Days(365),
            "mtd" => Self::MonthToDate,
            "qtd" => Self::QuarterToDate,
            "ytd" => Self::YearToDate,
            "all" => Self::All,
            _ => return None,
        })
    }

    /// Its first instant, for one that ends just before `until`.
    pub(super) fn begin(self, until: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let last = until.checked_sub(LEAST).ok()?.to_zoned(zone.clone());
        let today = last.date();
        let first = match self {
            Self::Day => {
                let into_hour = SignedDuration::from_mins(last.minute().into())
                    + SignedDuration::from_secs(last.second().into())
                    + SignedDuration::from_nanos(last.subsec_nanosecond().into());
                let earlier = SignedDuration::from_hours(23);
                return last.timestamp().checked_sub(into_hour + earlier).ok();
            }
            Self::All => return Some(Timestamp::UNIX_EPOCH),
            Self::Days(days) => today.checked_sub((i64::from(days) - 1).days()).ok()?,
            Self::MonthToDate => today.first_of_month(),
            Self::QuarterToDate => {
                let month = (today.month() - 1) / 3 * 3 + 1;
                Date::new(today.year(), month, 1).ok()?
            }
            Self::YearToDate => today.first_of_year(),
        };
        Some(first.to_zoned(zone.clone()).ok()?.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_window_that_ends_now() {
        for name in NAMES {
            assert!(Interval::named(name).is_some(), "{name}");
        }
        assert_eq!(Interval::named("1h"), None);
        let until: Timestamp = "2026-05-31T20:30:00.000001Z".parse().unwrap();
        // In Kathmandu it is June 1, 02:15.
        for (name, zone, since) in [
            ("24h", "UTC", "2026-05-30T21:00:00Z"),
            ("24h", "Asia/Kathmandu", "2026-05-30T21:15:00Z"),
            ("7d", "UTC", "2026-05-25T00:00:00Z"),
            ("1y", "UTC", "2025-06-01T00:00:00Z"),
            ("mtd", "UTC", "2026-05-01T00:00:00Z"),
            ("mtd", "Asia/Kathmandu", "2026-05-31T18:15:00Z"),
            ("qtd", "UTC", "2026-04-01T00:00:00Z"),
            ("ytd", "Asia/Kathmandu", "2025-12-31T18:15:00Z"),
            ("all", "UTC", "1970-01-01T00:00:00Z"),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            let begin = Interval::named(name).unwrap().begin(until, &zone);
            assert_eq!(begin.unwrap().to_string(), since, "{name} {zone:?}");
        }
    }
}
