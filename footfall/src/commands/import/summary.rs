//! Counts the outcomes of an import's lines, and prints them for people and for programs.

use super::{bad_lines::Bad, unit::UnitKind};
use api::PastOutcome;
use indicatif::HumanCount;
use jiff::Timestamp;
use schemas::{BotReason, RefusalReason, topics::EVENTS};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    time::Duration,
};

/// Running counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Lines that were not empty.
    pub lines: u64,
    /// Visits that count, new and known.
    pub visits: u64,
    /// Visits with at least one event that went into the log.
    pub new_visits: u64,
    /// Visits that log and tables had before, or that an earlier line of the same import has.
    pub known_visits: u64,
    /// Events of visits that went into the log.
    pub events: u64,
    /// Records of another log, or of this one, new and known.
    pub records: u64,
    /// Records that went into the log.
    pub new_records: u64,
    /// Records that log and tables had before, or that an earlier line of the same import has.
    pub known_records: u64,
    /// Clicks on short links, new and known.
    pub clicks: u64,
    /// Clicks that went into the log.
    pub new_clicks: u64,
    /// Clicks that log and tables had before, or that an earlier line of the same import has.
    pub known_clicks: u64,
    /// Clicks that do not count, because a machine made them, by reason.
    pub machines: BTreeMap<&'static str, u64>,
    /// Conversions, new, known and repeated.
    pub conversions: u64,
    /// Conversions that were recorded.
    pub new_conversions: u64,
    /// Conversions that an earlier import has recorded.
    pub known_conversions: u64,
    /// Conversions with the order of another one, and repeated leads of a person.
    pub repeated_conversions: u64,
    /// Refused visits, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Views, leaves and heartbeats that were dropped from new visits, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Counts a refused visit.
    pub(super) fn refuse(&mut self, reason: RefusalReason) {
        *self.refused.entry(reason.name()).or_default() += 1;
    }

    /// Counts dropped parts of a visit.
    pub(super) fn leave_out(&mut self, reason: RefusalReason, count: u64) {
        if count > 0 {
            *self.dropped.entry(reason.name()).or_default() += count;
        }
    }

    /// Notes that a click is a machine's.
    pub(super) fn note_machine(&mut self, reason: BotReason) {
        *self.machines.entry(reason.name()).or_default() += 1;
    }

    /// Counts a valid conversion.
    pub(super) const fn convert(&mut self, outcome: &PastOutcome) {
        self.conversions += 1;
        match outcome {
            PastOutcome::New => self.new_conversions += 1,
            PastOutcome::Known => self.known_conversions += 1,
            PastOutcome::Duplicate | PastOutcome::Refused(..) => self.repeated_conversions += 1,
        }
    }

    /// Counts a visit, click or record with that many new events in the log.
    pub(super) const fn take(&mut self, kind: UnitKind, events: u64) {
        let (all, new, known) = match kind {
            UnitKind::Visit => (
                &mut self.visits,
                &mut self.new_visits,
                &mut self.known_visits,
            ),
            UnitKind::Click => (
                &mut self.clicks,
                &mut self.new_clicks,
                &mut self.known_clicks,
            ),
            UnitKind::Record => (
                &mut self.records,
                &mut self.new_records,
                &mut self.known_records,
            ),
        };
        *all += 1;
        *(if events == 0 { known } else { new }) += 1;
        if matches!(kind, UnitKind::Visit) {
            self.events += events;
        }
    }

    /// Adds later counts.
    pub(super) fn add(&mut self, later: Self) {
        self.lines += later.lines;
        self.visits += later.visits;
        self.new_visits += later.new_visits;
        self.known_visits += later.known_visits;
        self.events += later.events;
        self.records += later.records;
        self.new_records += later.new_records;
        self.known_records += later.known_records;
        self.clicks += later.clicks;
        self.new_clicks += later.new_clicks;
        self.known_clicks += later.known_clicks;
        self.conversions += later.conversions;
        self.new_conversions += later.new_conversions;
        self.known_conversions += later.known_conversions;
        self.repeated_conversions += later.repeated_conversions;
        for (reason, count) in later.machines {
            *self.machines.entry(reason).or_default() += count;
        }
        for (reason, count) in later.refused {
            *self.refused.entry(reason).or_default() += count;
        }
        for (reason, count) in later.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
    }

    /// Events and records that went into the log.
    #[must_use]
    pub const fn published(&self) -> u64 {
        self.events + self.new_clicks + self.new_conversions + self.new_records
    }
}

/// A partition that the import gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stopped {
    /// Its number.
    pub partition: i32,
    /// The next offset for the tables, at which they stopped.
    pub next_offset: i64,
    /// Since when, at the latest, the partition has made no progress.
    pub since: Timestamp,
    /// Visits that were not published.
    pub visits_left_out: u64,
    /// Clicks that were not published.
    pub clicks_left_out: u64,
    /// Records of a log that were not published.
    pub records_left_out: u64,
}

impl Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            next_offset,
            since,
            visits_left_out,
            clicks_left_out,
            records_left_out,
        } = self;
        write!(
            f,
            "partition {partition} of {EVENTS} has not advanced from offset {next_offset} since {since}"
        )?;
        if visits_left_out + clicks_left_out + records_left_out == 0 {
            return f
                .write_str("; this import's events for it are in the log but not in the tables");
        }
        let (visits, records) = (HumanCount(*visits_left_out), HumanCount(*records_left_out));
        let clicks = HumanCount(*clicks_left_out);
        write!(
            f,
            "; {visits} visits, {clicks} clicks and {records} records were skipped"
        )
    }
}

/// The result of an import.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Outcomes of the lines.
    #[serde(flatten)]
    pub counts: Counts,
    /// Bad lines.
    pub bad: Bad,
    /// From the first line to the last acknowledgement.
    pub seconds: f64,
    /// How many of these were spent waiting for the tables.
    pub paused_seconds: f64,
    /// Further seconds until the tables had everything. Absent without waiting, or if they did not
    /// get there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables_seconds: Option<f64>,
    /// Events into the log for each second without a pause.
    pub events_per_second: u64,
    /// Partitions that the import gave up.
    pub stopped: Vec<Stopped>,
}

/// How long the parts of an import took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    /// From the first line to the last acknowledgement.
    pub(super) published_in: Duration,
    /// The part of it that was spent waiting for the tables.
    pub(super) paused: Duration,
    /// Further time until the tables had everything.
    pub(super) tables_after: Option<Duration>,
}

impl Summary {
    /// A summary of these counts and times.
    pub(super) fn new(counts: Counts, bad: Bad, times: Times, stopped: Vec<Stopped>) -> Self {
        let worked = times.published_in.saturating_sub(times.paused);
        Self {
            events_per_second: rate(counts.published(), worked),
            counts,
            bad,
            seconds: millis(times.published_in),
            paused_seconds: millis(times.paused),
            tables_seconds: times.tables_after.map(millis),
            stopped,
        }
    }
}

/// Seconds, rounded to the millisecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Count per second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a rate for people"
)]
pub(super) fn rate(count: u64, time: Duration) -> u64 {
    (count as f64 / time.as_secs_f64().max(0.001)).round() as u64
}

impl Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        writeln!(f, "{} lines", HumanCount(counts.lines))?;
        writeln!(
            f,
            "  new      {} visits in {} events, {} records of a log",
            HumanCount(counts.new_visits),
            HumanCount(counts.events),
            HumanCount(counts.new_records)
        )?;
        writeln!(
            f,
            "  known    {} visits, {} records of a log",
            HumanCount(counts.known_visits),
            HumanCount(counts.known_records)
        )?;
        self.write_links(f)?;
        if !counts.dropped.is_empty() {
            let parts = list(&counts.dropped);
            writeln!(f, "  dropped  {parts} (views, leaves and heartbeats)")?;
        }
        if !counts.refused.is_empty() {
            writeln!(f, "  refused  {}", list(&counts.refused))?;
        }
        self.write_bad(f)?;
        for stopped in &self.stopped {
            writeln!(f, "  stopped  {stopped}")?;
        }
        write!(
            f,
            "in the log after {:.1} s, {} events a second",
            self.seconds,
            HumanCount(self.events_per_second)
        )?;
        if self.paused_seconds >= 0.1 {
            write!(
                f,
                " and {:.1} s of pauses for the tables",
                self.paused_seconds
            )?;
        }
        match self.tables_seconds {
            Some(seconds) => write!(f, "; in the tables {seconds:.1} s later"),
            None if self.stopped.is_empty() => write!(f, "; the tables follow"),
            None => write!(f, "; not all of it is in the tables"),
        }
    }
}

impl Summary {
    /// Clicks and conversions, if there are any.
    fn write_links(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        if counts.clicks > 0 {
            let (new, known) = (
                HumanCount(counts.new_clicks),
                HumanCount(counts.known_clicks),
            );
            writeln!(f, "  clicks   {new} new, {known} known")?;
        }
        if !counts.machines.is_empty() {
            let machines = list(&counts.machines);
            writeln!(f, "           by machines, not counted: {machines}")?;
        }
        if counts.conversions > 0 {
            writeln!(
                f,
                "  conversions  {} new, {} known, {} repeated",
                HumanCount(counts.new_conversions),
                HumanCount(counts.known_conversions),
                HumanCount(counts.repeated_conversions)
            )?;
        }
        Ok(())
    }

    fn write_bad(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad = &self.bad;
        if bad.lines == 0 {
            return Ok(());
        }
        writeln!(f, "  bad      {}", list(&bad.reasons))?;
        for told in &bad.first {
            writeln!(f, "    line {}: {}", told.line, told.problem)?;
        }
        let more = bad.lines - bad.first.len() as u64;
        match (&bad.file, &bad.unkept) {
            (Some(file), _) => writeln!(
                f,
                "    and {} more; all of them are in {}",
                HumanCount(more),
                file.display()
            ),
            (None, Some(why)) => writeln!(
                f,
                "    and {} more, which could not be kept in a file: {why}",
                HumanCount(more)
            ),
            (None, None) => Ok(()),
        }
    }
}

/// `12 bot, 3 token`
fn list(reasons: &BTreeMap<impl Display, u64>) -> String {
    let each = reasons.iter();
    let each = each.map(|(reason, count)| format!("{} {reason}", HumanCount(*count)));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{
        super::bad_lines::{BadLines, Told},
        *,
    };

    fn summary(counts: Counts, bad: Bad, stopped: Vec<Stopped>) -> Summary {
        let times = Times {
            published_in: Duration::from_secs(2),
            ..Times::default()
        };
        Summary::new(counts, bad, times, stopped)
    }

    #[test]
    fn counts_add_up_and_are_listed_by_reason() {
        let mut counts = Counts::default();
        for events in [5, 0, 1] {
            let mut later = Counts::default();
            later.lines += 2;
            later.take(UnitKind::Visit, events);
            later.take(UnitKind::Record, events.min(1));
            later.refuse(RefusalReason::Bot);
            later.leave_out(RefusalReason::SessionOver, events);
            counts.add(later);
        }
        assert_eq!(
            (counts.visits, counts.new_visits, counts.known_visits),
            (3, 2, 1)
        );
        assert_eq!(
            (counts.records, counts.new_records, counts.known_records),
            (3, 2, 1)
        );
        assert_eq!((counts.events, counts.published()), (6, 8));
        let text = summary(counts, Bad::default(), Vec::new()).to_string();
        for words in [
            "6 lines",
            "new      2 visits in 6 events, 2 records of a log",
            "known    1 visits, 1 records of a log",
            "dropped  6 session_over",
            "refused  3 bot",
            "the tables follow",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
    }

    #[test]
    fn the_text_shows_the_first_bad_lines_and_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("visits.jsonl");
        let mut bad = BadLines::of(Some(&input), Timestamp::UNIX_EPOCH);
        for line in 1..=45 {
            bad.add(Told {
                line,
                reason: "too_long".into(),
                problem: "is too long".to_owned(),
            });
        }
        let summary = summary(Counts::default(), bad.finish(), Vec::new());
        let text = summary.to_string();
        assert!(text.contains("bad      45 too_long"), "{text}");
        assert!(text.contains("line 20: is too long"), "{text}");
        assert!(!text.contains("line 21"), "{text}");
        let file = summary.bad.file.as_ref().unwrap().display().to_string();
        let more = format!("and 25 more; all of them are in {file}");
        assert!(text.contains(&more), "{text}");
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["bad"]["reasons"]["too_long"], 45);
        assert_eq!(json["bad"]["all"][44]["line"], 45);
        assert_eq!(json["seconds"], 2.0);
        assert!(json.get("tablesSeconds").is_none());
    }

    #[test]
    fn a_stopped_partition_is_reported_with_its_offset_and_time() {
        let mut stopped = Stopped {
            partition: 3,
            next_offset: 17,
            since: Timestamp::UNIX_EPOCH,
            visits_left_out: 0,
            clicks_left_out: 0,
            records_left_out: 0,
        };
        let said = stopped.to_string();
        let place = "partition 3 of footfall.events.v1 has not advanced from offset 17 since 1970-01-01T00:00:00Z";
        assert!(said.starts_with(place), "{said}");
        assert!(said.contains("in the log but not in the tables"), "{said}");
        stopped.visits_left_out = 12;
        let summary = summary(Counts::default(), Bad::default(), vec![stopped]);
        let text = summary.to_string();
        assert!(
            text.contains("12 visits, 0 clicks and 0 records were skipped"),
            "{text}"
        );
        assert!(text.contains("not all of it is in the tables"), "{text}");
    }
}
