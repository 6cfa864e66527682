//! The schedule of a link: ISO 8601 times, with the end after the start.

use jiff::{Timestamp, civil, tz::TimeZone};

/// Parses an ISO 8601 date or date and time, from 1970 on. Without an offset it is UTC. The last
/// day of the year 9999 is invalid: elsewhere it is the next year already, and a reader of the
/// schedule may be there.
pub(crate) fn read_moment(text: &str) -> Option<Timestamp> {
    parse(text).filter(|moment| *moment >= Timestamp::UNIX_EPOCH)
}

fn parse(text: &str) -> Option<Timestamp> {
    // Zone names in brackets are not part of ISO 8601.
    if text.contains('[') {
        return None;
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let local = text
        .parse::<civil::DateTime>()
        .or_else(|_| {
            text.parse::<civil::Date>()
                .map(|day| day.to_datetime(civil::Time::midnight()))
        })
        .ok()?;
    // A text with an offset that the parser above refused is invalid, not local.
    local
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// True unless both ends are present and the end is not after the start.
pub(crate) fn is_in_order(start: Option<Timestamp>, end: Option<Timestamp>) -> bool {
    match (start, end) {
        (Some(start), Some(end)) => end > start,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_time_and_offset() {
        let cases = [
            ("2026-02-20T10:30:00.123Z", "2026-02-20T10:30:00.123Z"),
            ("2026-02-20T10:30:00+03:00", "2026-02-20T07:30:00Z"),
            ("2026-02-20T10:30:00", "2026-02-20T10:30:00Z"),
            ("2026-02-20T10:30", "2026-02-20T10:30:00Z"),
            ("2026-02-20", "2026-02-20T00:00:00Z"),
            ("1970-01-01", "1970-01-01T00:00:00Z"),
            ("9999-12-30T21:59:59Z", "9999-12-30T21:59:59Z"),
        ];
        for (text, moment) in cases {
            assert_eq!(read_moment(text), Some(moment.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2026-13-01",
            "2026-02-30T00:00:00Z",
            "10:30",
            "2026-02-20T10:30:00[Europe/Istanbul]",
            "1771583400",
            "2026-02-20T25:00:00Z",
            "1969-12-31T23:59:59Z",
            "9999-12-31",
            "+010000-01-01T00:00:00Z",
        ] {
            assert_eq!(read_moment(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_two_ends_can_be_out_of_order() {
        let (a, b) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(1).unwrap());
        assert!(is_in_order(Some(a), Some(b)));
        assert!(!is_in_order(Some(a), Some(a)));
        assert!(!is_in_order(Some(b), Some(a)));
        assert!(
            is_in_order(None, Some(a)) && is_in_order(Some(a), None) && is_in_order(None, None)
        );
    }
}
