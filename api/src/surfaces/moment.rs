//! Reads the dates and times of requests.
//!
//! A date is a whole day in the zone of the request, which is UTC in the events API. A time without an offset is in UTC. Finer digits than microseconds
//! are cut, because stored times have none.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A date or an instant as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    Instant(Timestamp),
}

impl Moment {
    /// Reads a date or an instant in ISO 8601; `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        // Four digits of a year first: signs and other notations are not accepted.
        let shape = |(index, byte): (usize, u8)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        let day = text.as_bytes().get(..10)?;
        if !day.iter().copied().enumerate().all(shape) || text.starts_with("0000") {
            return None;
        }
        if text.len() == 10 {
            return text.parse().ok().map(Self::Day);
        }
        let time = text.get(10..)?;
        let plain = |byte: u8| byte.is_ascii_digit() || b":.,+-TtZz ".contains(&byte);
        if !time.starts_with(['T', 't']) || !time.bytes().all(plain) {
            return None;
        }
        // A plus that was not encoded arrives as a space.
        let text = text.replace(' ', "+");
        let instant = match text.parse::<Timestamp>() {
            Ok(instant) => instant,
            Err(_) => text
                .parse::<DateTime>()
                .ok()
                .filter(|_| !text.ends_with(['Z', 'z']) && !time.contains(['+', ' ', '-']))?
                .to_zoned(TimeZone::UTC)
                .ok()?
                .timestamp(),
        };
        let micros = instant.as_nanosecond().div_euclid(1_000);
        let micros = i64::try_from(micros).ok()?;
        Timestamp::from_microsecond(micros).ok().map(Self::Instant)
    }

    /// The first instant.
    pub(super) fn start(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Day(day) => Some(day.to_zoned(zone.clone()).ok()?.timestamp()),
            Self::Instant(at) => Some(at),
        }
    }

    /// The instant after the last one: a day and a millisecond are included whole.
    pub(super) fn end(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Day(day) => Self::Day(day.tomorrow().ok()?).start(zone),
            Self::Instant(at) => {
                let millis = at.as_microsecond().div_euclid(1_000);
                let whole = Timestamp::from_millisecond(millis).ok()?;
                whole.checked_add(SignedDuration::from_millis(1)).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounds(text: &str) -> (String, String) {
        let moment = Moment::read(text).unwrap();
        let text = |at: Option<Timestamp>| at.unwrap().to_string();
        (
            text(moment.start(&TimeZone::UTC)),
            text(moment.end(&TimeZone::UTC)),
        )
    }

    #[test]
    fn a_day_is_included_whole_and_an_instant_to_its_millisecond() {
        for (text, start, end) in [
            ("2026-01-31", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"),
            (
                "2026-01-31T23:59:59.999999Z",
                "2026-01-31T23:59:59.999999Z",
                "2026-02-01T00:00:00Z",
            ),
            (
                "2026-03-01T02:00:00+02:00",
                "2026-03-01T00:00:00Z",
                "2026-03-01T00:00:00.001Z",
            ),
        ] {
            assert_eq!(bounds(text), (start.to_owned(), end.to_owned()), "{text}");
        }
    }

    #[test]
    fn notations_of_one_instant_are_the_same() {
        let expected = Moment::read("2026-03-01T00:00:00Z");
        assert!(expected.is_some());
        for text in [
            "2026-03-01T00:00:00+00:00",
            "2026-03-01T00:00:00 00:00",
            "2026-03-01T00:00:00.000000Z",
            "2026-03-01T00:00:00.0000009Z",
            "2026-03-01T00:00:00",
            "2026-03-01T00:00",
            "2026-03-01t00:00:00z",
            "2026-02-28T19:00:00-05:00",
        ] {
            assert_eq!(Moment::read(text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_moment() {
        for text in [
            "",
            "yesterday",
            "1772323200",
            "2026-13-01",
            "2026-02-30",
            "2026-3-1",
            "20260301",
            "+002026-03-01",
            "-009999-01-01",
            "0000-01-01",
            "2026-03-01 00:00:00",
            "2026-03-01T25:00:00Z",
            "2026-03-01T00:00:00Z[UTC]",
            "2026-03-01T00:00:00+99:00",
            "2026-03-01T",
            "2026-03-01ü",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
        assert_eq!(
            Moment::read("9999-12-31").unwrap().end(&TimeZone::UTC),
            None
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}", date in "[0-9T:+ Z.-]{0,40}") {
            for text in [text, date] {
                let moment = Moment::read(&text);
                let bounds = moment.and_then(|moment| moment.start(&TimeZone::UTC).zip(moment.end(&TimeZone::UTC)));
                prop_assert!(bounds.is_none_or(|(start, end)| start < end));
            }
        }
    }
}
