//! The beginning of a window: `days` x 24 hours ago, rounded down to a quarter of an hour.
//!
//! A window has no end.

use jiff::{SignedDuration, Timestamp};

const QUARTER_SECONDS: i64 = 15 * 60;

/// The first moment of the window.
pub(super) fn begin(now: Timestamp, days: u16) -> Timestamp {
    let span = SignedDuration::from_hours(24 * i64::from(days));
    let since = now.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let second = since
        .as_second()
        // `as_second` rounds towards zero, which is up before 1970.
        .saturating_sub(i64::from(since.subsec_nanosecond() < 0));
    let aligned = second.div_euclid(QUARTER_SECONDS) * QUARTER_SECONDS;
    Timestamp::from_second(aligned).unwrap_or(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn windows_begin_at_a_quarter_of_an_hour() {
        for (now, days, since) in [
            ("2026-03-31T12:00:00Z", 30, "2026-03-01T12:00:00Z"),
            ("2026-03-31T12:14:59.999999Z", 1, "2026-03-30T12:00:00Z"),
            ("2026-03-31T12:15:00Z", 1, "2026-03-30T12:15:00Z"),
            ("2026-01-01T00:07:00Z", 365, "2025-01-01T00:00:00Z"),
            // A day has 24 hours, even when clocks change.
            ("2026-03-29T12:00:00+02:00", 1, "2026-03-28T10:00:00Z"),
            ("1970-01-01T23:59:59.5Z", 1, "1969-12-31T23:45:00Z"),
        ] {
            let begun = begin(now.parse().unwrap(), days);
            assert_eq!(begun, since.parse().unwrap(), "{now} {days}");
        }
    }

    proptest! {
        // Oracle: the only multiple of 900 s in the 900 s that end at now - days.
        #[test]
        fn a_window_begins_less_than_a_quarter_before_its_days(
            micros in -4_000_000_000_000_000i64..4_000_000_000_000_000, days in 1u16..=365,
        ) {
            let now = Timestamp::from_microsecond(micros).unwrap();
            let since = begin(now, days).as_nanosecond();
            let exact = now.as_nanosecond() - i128::from(days) * 86_400 * 1_000_000_000;
            prop_assert_eq!(since % (900 * 1_000_000_000), 0);
            prop_assert!(since <= exact && exact - since < 900 * 1_000_000_000);
        }
    }
}
