//! Reads the window of a report: whole days of a zone, or a start and an end.

use super::interval::{Interval, LEAST, NAMES};
use crate::{catalog::Surface, sources::Window, surfaces::moment::Moment};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// The default number of days.
pub(super) const DEFAULT: u16 = 30;
/// Most days.
pub(super) const MAX: u16 = Surface::Workspace.notation().max_days;

/// What a request says about its window.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) days: Option<String>,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
    /// A name of a window. A start or an end overrides it, and it overrides the days.
    pub(super) interval: Option<String>,
}

/// A window with both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) range: Window,
    pub(super) until: Timestamp,
    /// The name that the request gave it.
    pub(super) interval: Option<Interval>,
    /// How far back the window before it is.
    back: Back,
}

/// How far back the window before another one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// As many local days.
    Days(i64),
    /// A day of 24 hours.
    Day,
    /// Its length.
    Length,
    /// There is none, because it has everything.
    Nothing,
}

/// With what a window is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The window of equal length before it.
    Previous,
    /// The same dates of the year before.
    YearBefore,
    Nothing,
}

/// The window: `days` local days, today included, or a named one, or from `start` to `end`. Records
/// what is wrong.
pub(super) fn read(
    words: &Words,
    zone: &TimeZone,
    now: Timestamp,
    problems: &mut Vec<String>,
) -> Option<Read> {
    let days = days(words.days.as_deref(), problems);
    let mut moment = |name: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let moment = Moment::read(text);
        if moment.is_none() {
            problems.push(format!("{name} must be a date or a time in RFC 3339"));
        }
        moment
    };
    let start = moment("start", &words.start);
    let end = moment("end", &words.end);
    let until = match end {
        Some(end) => end.end(zone),
        None => now.checked_add(LEAST).ok(),
    };
    let rolling = words.start.is_none() && words.end.is_none();
    let interval = interval(words.interval.as_deref(), problems).filter(|_| rolling);
    let since = match (start, interval) {
        (Some(start), _) => start.start(zone),
        (None, Some(interval)) => until.and_then(|until| interval.begin(until, zone)),
        (None, None) => until.and_then(|until| Interval::Days(days).begin(until, zone)),
    };
    let (Some(since), Some(until)) = (since, until) else {
        problems.push("start and end must be times of a calendar".to_owned());
        return None;
    };
    if since >= until {
        problems.push("start must not be after end".to_owned());
        return None;
    }
    let range = Window {
        since,
        until: Some(until),
    };
    let mut read = Read {
        range,
        until,
        interval,
        back: Back::Length,
    };
    read.back = match interval {
        Some(Interval::All) => Back::Nothing,
        Some(Interval::Day) => Back::Day,
        None if !rolling => Back::Length,
        _ => Back::Days(read.local_days(zone)),
    };
    if read.length() > i64::from(MAX) + 1 && interval != Some(Interval::All) {
        problems.push(format!("start and end must be at most {MAX} days apart"));
    }
    Some(read)
}

fn interval(text: Option<&str>, problems: &mut Vec<String>) -> Option<Interval> {
    let text = text?;
    let interval = Interval::named(text);
    if interval.is_none() {
        problems.push(format!("interval must be one of {}", NAMES.join(", ")));
    }
    interval
}

fn days(text: Option<&str>, problems: &mut Vec<String>) -> u16 {
    let Some(text) = text else { return DEFAULT };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a number has are a large number all the same.
    let days = text.parse::<u64>().unwrap_or(u64::MAX);
    if !digits || days == 0 {
        problems.push("days must be a whole number of at least 1".to_owned());
        return DEFAULT;
    }
    u16::try_from(days).unwrap_or(MAX).min(MAX)
}

impl Read {
    /// Its length in days, begun ones included.
    pub(super) fn length(self) -> i64 {
        let seconds = self.until.duration_since(self.range.since).as_secs();
        // An hour of summer time is no day of its own.
        (seconds - 2 * 3600).max(0) / 86_400 + 1
    }

    /// How many local days it touches.
    fn local_days(self, zone: &TimeZone) -> i64 {
        let date = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let last = self.until.saturating_sub(LEAST).unwrap_or(self.until);
        let days = date(self.range.since).until(date(last));
        days.map_or(1, |days| i64::from(days.get_days()) + 1)
    }
}

impl Comparison {
    /// The comparison of that name.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "previous" => Some(Self::Previous),
            "yoy" => Some(Self::YearBefore),
            "none" => Some(Self::Nothing),
            _ => None,
        }
    }

    /// The window with which that one is compared. Today so far is compared with the same part of
    /// the other window's last day.
    pub(super) fn before(self, of: Read, zone: &TimeZone) -> Option<Window> {
        let back = |at: Timestamp| {
            let local = at.to_zoned(zone.clone());
            let moved = match (self, of.back) {
                (Self::Nothing, _) | (_, Back::Nothing) => return None,
                (Self::YearBefore, _) => local.checked_sub(1.year()),
                (Self::Previous, Back::Days(days)) => local.checked_sub(days.days()),
                (Self::Previous, Back::Day) => local.checked_sub(24.hours()),
                (Self::Previous, Back::Length) => {
                    let length = of.until.duration_since(of.range.since);
                    return at.checked_sub(length).ok();
                }
            };
            Some(moved.ok()?.timestamp())
        };
        Some(Window {
            since: back(of.range.since)?,
            until: Some(back(of.until)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-31T12:00:00Z";

    fn given(days: &str, start: &str, end: &str, zone: &str) -> Result<Read, Vec<String>> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let words = Words {
            days: text(days),
            start: text(start),
            end: text(end),
            interval: None,
        };
        let mut problems = Vec::new();
        let zone = TimeZone::get(zone).unwrap();
        let read = read(&words, &zone, NOW.parse().unwrap(), &mut problems);
        match read {
            Some(read) if problems.is_empty() => Ok(read),
            _ => Err(problems),
        }
    }

    fn bounds(window: Window) -> (String, String) {
        (window.since.to_string(), window.until.unwrap().to_string())
    }

    #[test]
    fn a_window_is_whole_local_days_up_to_now_or_from_start_to_end() {
        let now = "2026-03-31T12:00:00.000001Z";
        for (days, start, end, zone, since, until) in [
            ("", "", "", "UTC", "2026-03-02T00:00:00Z", now),
            ("1", "", "", "UTC", "2026-03-31T00:00:00Z", now),
            // Clocks changed on March 29.
            ("3", "", "", "Europe/Berlin", "2026-03-28T23:00:00Z", now),
            (
                "99999999999999999999",
                "",
                "",
                "UTC",
                "2025-04-01T00:00:00Z",
                now,
            ),
            ("7", "2026-03-10", "", "UTC", "2026-03-10T00:00:00Z", now),
            (
                "7",
                "",
                "2026-03-10",
                "UTC",
                "2026-03-04T00:00:00Z",
                "2026-03-11T00:00:00Z",
            ),
            (
                "",
                "2026-03-10",
                "2026-03-10",
                "Asia/Kathmandu",
                "2026-03-09T18:15:00Z",
                "2026-03-10T18:15:00Z",
            ),
        ] {
            let read = given(days, start, end, zone).unwrap();
            let expected = (since.to_owned(), until.to_owned());
            assert_eq!(bounds(read.range), expected, "{days} {start} {end} {zone}");
        }
    }

    #[test]
    fn a_start_overrides_a_named_window_which_overrides_the_days() {
        let read = |interval: &str, start: Option<&str>| {
            let words = Words {
                days: Some("3".to_owned()),
                start: start.map(str::to_owned),
                end: None,
                interval: Some(interval.to_owned()),
            };
            let mut problems = Vec::new();
            let read = read(&words, &TimeZone::UTC, NOW.parse().unwrap(), &mut problems);
            if problems.is_empty() { read } else { None }
        };
        let since = |interval: &str, start| {
            let read: Read = read(interval, start).unwrap();
            read.range.since.to_string()
        };
        assert_eq!(since("7d", None), "2026-03-25T00:00:00Z");
        assert_eq!(since("7d", Some("2026-03-01")), "2026-03-01T00:00:00Z");
        assert_eq!(read("2h", None), None);
        // As long, and just before; for a whole history there is nothing before.
        let before = |interval: &str| {
            let read = read(interval, None).unwrap();
            Comparison::Previous
                .before(read, &TimeZone::UTC)
                .map(|window| bounds(window).0)
        };
        assert_eq!(before("mtd").as_deref(), Some("2026-01-29T00:00:00Z"));
        assert_eq!(before("24h").as_deref(), Some("2026-03-29T13:00:00Z"));
        assert_eq!(before("all"), None);
        let all = read("all", None).unwrap();
        assert_eq!(Comparison::YearBefore.before(all, &TimeZone::UTC), None);
    }

    #[test]
    fn unusable_windows_are_refused() {
        for (days, start, end) in [
            ("0", "", ""),
            ("-1", "", ""),
            ("abc", "", ""),
            ("1.5", "", ""),
            ("", "yesterday", ""),
            ("", "2026-03-10", "2026-03-09"),
            ("", "2026-04-10", ""),
            ("", "2020-01-01", "2026-03-09"),
            ("", "", "9999-12-31"),
        ] {
            let problems = given(days, start, end, "UTC").unwrap_err();
            assert_eq!(problems.len(), 1, "{days} {start} {end}: {problems:?}");
        }
        assert!(given("", "2025-04-01", "2026-03-31", "UTC").is_ok());
    }

    #[test]
    fn the_window_before_has_the_same_length() {
        let utc = TimeZone::UTC;
        let rolling = given("7", "", "", "UTC").unwrap();
        let (since, until) = bounds(Comparison::Previous.before(rolling, &utc).unwrap());
        assert_eq!(since, "2026-03-18T00:00:00Z");
        assert_eq!(until, "2026-03-24T12:00:00.000001Z");
        let fixed = given("", "2026-02-01", "2026-02-28", "UTC").unwrap();
        let (since, until) = bounds(Comparison::Previous.before(fixed, &utc).unwrap());
        assert_eq!(
            (&*since, &*until),
            ("2026-01-04T00:00:00Z", "2026-02-01T00:00:00Z")
        );
        let (since, until) = bounds(Comparison::YearBefore.before(fixed, &utc).unwrap());
        assert_eq!(
            (&*since, &*until),
            ("2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z")
        );
        assert_eq!(Comparison::Nothing.before(fixed, &utc), None);
        assert_eq!(Comparison::named("next"), None);
    }
}
