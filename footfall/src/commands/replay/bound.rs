//! Parses the start or end of a replay: a time or an offset.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::str::FromStr;

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Records appended at that time or later.
    Time(Timestamp),
    /// Records of that offset and above, in each partition.
    Offset(i64),
}

impl FromStr for Bound {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let offset = text.parse().map_err(|_| "the offset is too large")?;
            return Ok(Self::Offset(offset));
        }
        let time = text.parse().ok().or_else(|| start_of_day(text));
        time.map(Self::Time)
            .ok_or("give a time (2026-02-20T10:30:00Z, or 2026-02-20 for its start in UTC) or an offset (0, 1, ...)")
    }
}

fn start_of_day(text: &str) -> Option<Timestamp> {
    let day: Date = text.parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

impl Bound {
    /// True if a record is before this bound. A record without a time is never before a time.
    pub(super) fn is_after(self, offset: i64, time_ms: Option<i64>) -> bool {
        match self {
            Self::Offset(bound) => offset < bound,
            Self::Time(bound) => time_ms.is_some_and(|time_ms| time_ms < ceil_ms(bound)),
        }
    }
}

/// The first millisecond at or after that time. Records have no finer times.
pub(super) fn ceil_ms(time: Timestamp) -> i64 {
    let ms = time.as_nanosecond().div_euclid(1_000_000);
    let exact = time.as_nanosecond().rem_euclid(1_000_000) == 0;
    // `MAX - 1` leaves room for the added millisecond.
    i64::try_from(ms).unwrap_or(i64::MAX - 1) + i64::from(!exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Bound {
        Bound::Time(text.parse().unwrap())
    }

    #[test]
    fn times_days_and_offsets_are_distinguished() {
        assert_eq!("0".parse(), Ok(Bound::Offset(0)));
        assert_eq!("20260220".parse(), Ok(Bound::Offset(20_260_220)));
        let text = "2026-02-20T10:30:00+03:00";
        assert_eq!(text.parse(), Ok(time("2026-02-20T07:30:00Z")));
        assert_eq!("2026-02-20".parse(), Ok(time("2026-02-20T00:00:00Z")));
        for text in ["", "-1", "yesterday", "2026-02-30", "99999999999999999999"] {
            assert!(text.parse::<Bound>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_bound_excludes_earlier_records() {
        assert!(Bound::Offset(3).is_after(2, None) && !Bound::Offset(3).is_after(3, None));
        let at = time("1970-01-01T00:00:01.000500Z");
        for (ms, before) in [(999, true), (1_000, true), (1_001, false)] {
            assert_eq!(at.is_after(0, Some(ms)), before, "{ms}");
        }
        assert!(!at.is_after(0, None));
    }
}
