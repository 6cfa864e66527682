//! What became of the lines, counted by reason: for people and for programs.

use indicatif::HumanCount;
use ingest::history::BadLine;
use schemas::RefusalReason;
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::Duration};

/// Bad lines that are told one by one; of the others only the reasons are counted.
const TOLD: usize = 20;

/// Counts, as they grow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Lines that were not empty.
    pub lines: u64,
    /// Visits that are in the log now.
    pub visits: u64,
    /// Their events.
    pub events: u64,
    /// Records of another log that are in this one now.
    pub records: u64,
    /// Visits that are not counted, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Lines that were not taken.
    pub bad: Bad,
}

/// Lines that were not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// How many.
    pub lines: u64,
    /// By reason.
    pub reasons: BTreeMap<&'static str, u64>,
    /// The first of them.
    pub first: Vec<Told>,
}

/// A bad line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Its number, from 1.
    pub line: u64,
    /// The kind of mistake.
    pub reason: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl Counts {
    /// Counts a visit that is not counted.
    pub(super) fn refuse(&mut self, reason: RefusalReason) {
        *self.refused.entry(reason.name()).or_default() += 1;
    }

    /// Counts a line that is not taken.
    pub(super) fn reject(&mut self, line: u64, bad: BadLine) {
        let reason = bad.reason.name();
        self.bad.lines += 1;
        *self.bad.reasons.entry(reason).or_default() += 1;
        if self.bad.first.len() < TOLD {
            self.bad.first.push(Told {
                line,
                reason,
                problem: bad.what,
            });
        }
    }

    /// Adds what came later.
    pub(super) fn add(&mut self, later: Self) {
        self.lines += later.lines;
        self.visits += later.visits;
        self.events += later.events;
        self.records += later.records;
        for (reason, count) in later.refused {
            *self.refused.entry(reason).or_default() += count;
        }
        self.bad.lines += later.bad.lines;
        for (reason, count) in later.bad.reasons {
            *self.bad.reasons.entry(reason).or_default() += count;
        }
        let room = TOLD.saturating_sub(self.bad.first.len());
        self.bad
            .first
            .extend(later.bad.first.into_iter().take(room));
    }

    /// What went into the log, of either kind.
    #[must_use]
    pub const fn published(&self) -> u64 {
        self.events + self.records
    }
}

/// An import that is over.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// What became of the lines.
    #[serde(flatten)]
    pub counts: Counts,
    /// From the first line to the last acknowledgement.
    pub seconds: f64,
    /// How many of these the tables were waited for.
    pub paused_seconds: f64,
    /// What the tables took after that; absent when nobody waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables_seconds: Option<f64>,
    /// Events into the log for each second that was not paused.
    pub events_per_second: u64,
}

impl Summary {
    /// A summary of these counts and times.
    #[must_use]
    pub fn new(
        counts: Counts,
        published_in: Duration,
        paused: Duration,
        tables_after: Option<Duration>,
    ) -> Self {
        let worked = published_in.saturating_sub(paused);
        Self {
            events_per_second: rate(counts.published(), worked),
            counts,
            seconds: millis(published_in),
            paused_seconds: millis(paused),
            tables_seconds: tables_after.map(millis),
        }
    }
}

/// Seconds to the millisecond; nobody reads further.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// How many a second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a rate for people"
)]
pub(super) fn rate(count: u64, time: Duration) -> u64 {
    (count as f64 / time.as_secs_f64().max(0.001)).round() as u64
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let list = |reasons: &BTreeMap<&'static str, u64>| {
            let each = reasons.iter();
            let each = each.map(|(reason, count)| format!("{} {reason}", HumanCount(*count)));
            each.collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "{} lines", HumanCount(counts.lines))?;
        writeln!(
            f,
            "  taken    {} visits in {} events, {} records of a log",
            HumanCount(counts.visits),
            HumanCount(counts.events),
            HumanCount(counts.records)
        )?;
        if !counts.refused.is_empty() {
            writeln!(f, "  refused  {}", list(&counts.refused))?;
        }
        if counts.bad.lines > 0 {
            writeln!(f, "  bad      {}", list(&counts.bad.reasons))?;
        }
        for told in &counts.bad.first {
            writeln!(f, "    line {}: {}", told.line, told.problem)?;
        }
        if counts.bad.lines > counts.bad.first.len() as u64 {
            writeln!(f, "    and more")?;
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
            None => write!(f, "; the tables follow"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::history::BadLine;

    #[test]
    fn bad_lines_are_counted_by_reason_and_only_the_first_are_told() {
        let mut counts = Counts::default();
        for part in 0..3 {
            let mut later = Counts::default();
            for line in 0..15 {
                later.lines += 1;
                later.reject(part * 15 + line + 1, BadLine::too_long());
            }
            later.refuse(RefusalReason::Bot);
            counts.add(later);
        }
        assert_eq!((counts.lines, counts.bad.lines), (45, 45));
        assert_eq!(counts.bad.reasons, BTreeMap::from([("too_long", 45)]));
        assert_eq!(counts.refused, BTreeMap::from([("bot", 3)]));
        let told: Vec<u64> = counts.bad.first.iter().map(|told| told.line).collect();
        assert_eq!(told, (1..=20).collect::<Vec<_>>());

        let summary = Summary::new(counts, Duration::from_secs(2), Duration::ZERO, None);
        let text = summary.to_string();
        assert!(text.contains("bad      45 too_long"), "{text}");
        assert!(text.contains("line 20: is longer than"), "{text}");
        assert!(!text.contains("line 21"), "{text}");
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["bad"]["reasons"]["too_long"], 45);
        assert_eq!(json["seconds"], 2.0);
        assert!(json.get("tablesSeconds").is_none());
    }
}
