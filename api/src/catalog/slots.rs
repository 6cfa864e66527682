//! How time is cut into the rows of a series.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// What a slot of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// A calendar day of the zone.
    Day,
    /// One of the 168 hours of a week in the zone, Monday's first, whatever week it was.
    HourOfWeek,
}

/// The instants between which slots change, computed here and not by the database, whose zone data are
/// of another age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// Ascending; the first is the window's begin.
    pub(crate) edges: Vec<Timestamp>,
    /// The slot that begins at each edge, as an index into `names`.
    pub(crate) slots: Vec<usize>,
    /// What slots are called, in their order.
    pub(crate) names: Vec<String>,
}

const DAY_NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Every offset that a zone of today has is a multiple of this, and so is every window's begin.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

impl Slots {
    /// The slots of a window; what comes after its end is in the last one.
    pub(crate) fn timeline(self, zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
        match self {
            Self::Day => days(zone, since, until),
            Self::HourOfWeek => hours_of_week(zone, since, until),
        }
    }
}

fn days(zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
    let mut timeline = Timeline {
        edges: vec![since],
        slots: vec![0],
        names: vec![day_name(since.to_zoned(zone.clone()).date())],
    };
    let mut date = since.to_zoned(zone.clone()).date();
    while let Ok(next) = date.tomorrow() {
        date = next;
        // The first moment that has this date, also where clocks skip midnight.
        let Ok(begin) = date.to_zoned(zone.clone()) else {
            break;
        };
        if begin.timestamp() > until {
            break;
        }
        // A zone that changes sides of the date line skips a day.
        if begin.date() != date {
            continue;
        }
        timeline.edges.push(begin.timestamp());
        timeline.slots.push(timeline.names.len());
        timeline.names.push(day_name(date));
    }
    timeline
}

/// The published form: the day as an instant of its name's midnight, whatever the zone.
fn day_name(date: Date) -> String {
    format!("{date}T00:00:00.000Z")
}

fn hours_of_week(zone: &TimeZone, since: Timestamp, until: Timestamp) -> Timeline {
    let names = DAY_NAMES
        .iter()
        .flat_map(|day| (0..24).map(move |hour| format!("{day} {hour:02}:00")))
        .collect();
    let mut timeline = Timeline {
        edges: Vec::new(),
        slots: Vec::new(),
        names,
    };
    let mut at = since;
    while at <= until {
        let local = zone.to_datetime(at);
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
        let slot = day * 24 + usize::try_from(local.hour()).unwrap_or_default();
        if timeline.slots.last() != Some(&slot) {
            timeline.edges.push(at);
            timeline.slots.push(slot);
        }
        let Ok(next) = at.checked_add(QUARTER) else {
            break;
        };
        at = next;
    }
    timeline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// The name of the slot that an instant is in.
    fn slot(timeline: &Timeline, at: Timestamp) -> &str {
        let after = timeline.edges.partition_point(|edge| *edge <= at);
        &timeline.names[timeline.slots[after - 1]]
    }

    #[test]
    fn every_instant_is_in_the_slot_of_its_local_time() {
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
            let days = Slots::Day.timeline(&zone, since, until);
            let hours = Slots::HourOfWeek.timeline(&zone, since, until);
            assert!(days.edges.is_sorted() && hours.edges.is_sorted());
            let mut at = since;
            while at < until {
                let local = at.to_zoned(zone.clone());
                assert_eq!(
                    slot(&days, at),
                    format!("{}T00:00:00.000Z", local.date()),
                    "{name} {at}"
                );
                let hour = local.strftime("%a %H:00").to_string();
                assert_eq!(slot(&hours, at), hour, "{name} {at}");
                at += SignedDuration::from_mins(7);
            }
        }
    }

    #[test]
    fn a_day_that_a_zone_skipped_is_not_there() {
        // Samoa went from the 29th to the 31st of December 2011.
        let since = "2011-12-28T00:00:00Z".parse().unwrap();
        let until = "2012-01-02T00:00:00Z".parse().unwrap();
        let days = Slots::Day.timeline(&zone("Pacific/Apia"), since, until);
        assert!(!days.names.iter().any(|name| name.starts_with("2011-12-30")));
        assert!(days.names.iter().any(|name| name.starts_with("2011-12-31")));
    }
}
