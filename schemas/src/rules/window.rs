//! Windows of time in a zone: from a time of day to another, on some weekdays.

use jiff::{
    Timestamp,
    civil::{Time, Weekday},
    tz::TimeZone,
};
use serde_json::{Map, Value};

/// Minutes of a whole day, as the end of a window.
const END_OF_DAY: u16 = 24 * 60;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// A window of local wall-clock time, start included and end excluded. One that ends before it
/// starts goes over midnight, and belongs to the day of its start.
#[derive(Clone, Debug)]
pub(super) struct Window {
    start: u16,
    end: u16,
    /// The days of the start, by their offset from Monday.
    days: [bool; 7],
    zone: TimeZone,
}

impl Window {
    /// Reads `{"start": "22:00", "end": "02:00", "days": ["fri"], "timezone": "Europe/Berlin"}`.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let members = value.as_object().ok_or_else(|| {
            "give an object with `start`, `end`, and optionally `days` and `timezone`".to_owned()
        })?;
        for name in members.keys() {
            if !["start", "end", "days", "timezone"].contains(&name.as_str()) {
                return Err(format!(
                    "`{name}` is not a member of a time window; they are `start`, `end`, `days`, `timezone`"
                ));
            }
        }
        let start = minute(members, "start", END_OF_DAY - 1)?;
        let end = minute(members, "end", END_OF_DAY)?;
        if start == end {
            return Err("`start` and `end` are equal; a whole day is 00:00 to 24:00".to_owned());
        }
        Ok(Self {
            start,
            end,
            days: days(members.get("days"))?,
            zone: zone(members.get("timezone"))?,
        })
    }

    pub(super) fn contains(&self, now: Timestamp) -> bool {
        let local = self.zone.to_datetime(now);
        let minute = minute_of(local.time());
        let today = local.date().weekday();
        if self.start < self.end {
            return self.has(today) && (self.start..self.end).contains(&minute);
        }
        (self.has(today) && minute >= self.start)
            || (self.has(today.previous()) && minute < self.end)
    }

    fn has(&self, day: Weekday) -> bool {
        let at = usize::try_from(day.to_monday_zero_offset()).ok();
        at.and_then(|at| self.days.get(at)).is_some_and(|has| *has)
    }
}

fn minute_of(time: Time) -> u16 {
    let [hour, minute] = [time.hour(), time.minute()].map(i8::unsigned_abs);
    u16::from(hour) * 60 + u16::from(minute)
}

fn minute(members: &Map<String, Value>, name: &str, highest: u16) -> Result<u16, String> {
    let read = || {
        let (hours, minutes) = members.get(name)?.as_str()?.split_once(':')?;
        let two = |text: &str| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u16>().ok()).flatten()
        };
        let minutes = two(minutes).filter(|minutes| *minutes < 60)?;
        let minute = two(hours)? * 60 + minutes;
        (minute <= highest).then_some(minute)
    };
    read().ok_or_else(|| {
        let (hours, minutes) = (highest / 60, highest % 60);
        format!("`{name}` must be a time from 00:00 to {hours:02}:{minutes:02}, as HH:MM")
    })
}

/// The days of a window; every day when absent.
fn days(value: Option<&Value>) -> Result<[bool; 7], String> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok([true; 7]);
    };
    let wrong = || {
        let names = DAYS.map(|(name, _)| name.get(..3).unwrap_or(name));
        format!("`days` must list at least one of {}", names.join(", "))
    };
    let mut chosen = [false; 7];
    for day in value.as_array().ok_or_else(wrong)? {
        let name = day.as_str().ok_or_else(wrong)?.to_ascii_lowercase();
        let mut places = chosen.iter_mut().zip(DAYS);
        let found = places.find(|(_, (full, _))| *full == name || full.get(..3) == Some(&*name));
        let (chosen, _) = found.ok_or_else(wrong)?;
        *chosen = true;
    }
    if chosen.contains(&true) {
        Ok(chosen)
    } else {
        Err(wrong())
    }
}

/// A zone by its IANA name; UTC when absent.
fn zone(value: Option<&Value>) -> Result<TimeZone, String> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(TimeZone::UTC);
    };
    let found = value.as_str().and_then(|name| TimeZone::get(name).ok());
    found.ok_or_else(|| "`timezone` must be an IANA name such as Europe/Berlin".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn contains(window: &Value, at: &str) -> bool {
        Window::read(window).unwrap().contains(at.parse().unwrap())
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_of_its_start() {
        let friday =
            json!({"start": "22:00", "end": "02:00", "days": ["fri"], "timezone": "Europe/Berlin"});
        for (at, expected) in [
            // 2026-11-27 is a Friday; Berlin is an hour ahead of UTC.
            ("2026-11-27T20:59:59Z", false),
            ("2026-11-27T21:00:00Z", true),
            ("2026-11-27T23:30:00Z", true),
            ("2026-11-28T00:59:59Z", true),
            ("2026-11-28T01:00:00Z", false),
            ("2026-11-26T23:30:00Z", false),
            ("2026-11-28T21:00:00Z", false),
        ] {
            assert_eq!(contains(&friday, at), expected, "{at}");
        }
        let night = json!({"start": "19:00", "end": "07:00"});
        assert!(contains(&night, "2026-11-27T22:00:00Z"));
        assert!(contains(&night, "2026-11-27T06:59:00Z"));
        assert!(!contains(&night, "2026-11-27T07:00:00Z"));
    }

    #[test]
    fn a_whole_day_goes_to_its_end() {
        let day = json!({"start": "00:00", "end": "24:00", "days": ["Saturday", "sun"]});
        assert!(contains(&day, "2026-11-28T23:59:59Z"));
        assert!(!contains(&day, "2026-11-30T00:00:00Z"));
    }

    #[test]
    fn what_is_no_window_is_named() {
        for (window, word) in [
            (json!("22:00"), "object"),
            (json!({"start": "22:00"}), "`end`"),
            (json!({"start": "7:00", "end": "08:00"}), "`start`"),
            (json!({"start": "+7:00", "end": "08:00"}), "`start`"),
            (json!({"start": "24:00", "end": "08:00"}), "`start`"),
            (json!({"start": "08:00", "end": "24:01"}), "`end`"),
            (json!({"start": "08:00", "end": "08:00"}), "equal"),
            (json!({"start": "08:00", "end": "09:60"}), "`end`"),
            (
                json!({"start": "08:00", "end": "09:00", "days": []}),
                "`days`",
            ),
            (
                json!({"start": "08:00", "end": "09:00", "days": ["x"]}),
                "`days`",
            ),
            (
                json!({"start": "08:00", "end": "09:00", "timezone": "Mars"}),
                "`timezone`",
            ),
            (
                json!({"start": "08:00", "end": "09:00", "zone": "UTC"}),
                "`zone`",
            ),
        ] {
            let problem = Window::read(&window).unwrap_err();
            assert!(problem.contains(word), "{window}: {problem}");
        }
    }
}
