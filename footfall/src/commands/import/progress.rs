//! Shows the progress of an import: a bar on a terminal, otherwise a line every few seconds.

use super::summary::{Counts, rate};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use std::{
    fmt::{self, Display},
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Time between two lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Time between two drawings of the bar, even if nothing changes.
const TICK: Duration = Duration::from_millis(200);

/// Shows on standard error how far an import is.
#[derive(Debug)]
pub struct Progress {
    how: How,
    total_bytes: Option<u64>,
    begun: Instant,
}

#[derive(Debug)]
enum How {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// For an input of that many bytes, if known.
    #[must_use]
    pub fn new(total_bytes: Option<u64>) -> Self {
        let begun = Instant::now();
        let how = if std::io::stderr().is_terminal() {
            How::Bar(bar(total_bytes))
        } else {
            How::Lines { last: begun }
        };
        Self {
            how,
            total_bytes,
            begun,
        }
    }

    /// Shows how far the import is and what it does now.
    pub(super) fn tell(&mut self, counts: &Counts, read_bytes: u64, doing: &Doing) {
        let count = counts.published();
        let rate = rate(count, self.begun.elapsed());
        let mut said = format!("{} events, {}/s", HumanCount(count), HumanCount(rate));
        let known = counts.known_visits + counts.known_records;
        if known > 0 {
            said = format!("{said}, {} known lines", HumanCount(known));
        }
        let doing = match doing {
            Doing::Publishing => String::new(),
            Doing::CatchingUp(tables) => {
                format!(", waiting for the tables to fold the earlier log: {tables}")
            }
            Doing::Asking => ", waiting for the analytics database".to_owned(),
            Doing::Pausing(tables) => format!(", pausing: {tables}"),
            Doing::Waiting(tables) => format!(", waiting for the tables: {tables}"),
            Doing::Unanswered(since) => {
                format!(", the log has not answered for {} s", since.as_secs())
            }
        };
        match &mut self.how {
            How::Bar(bar) => {
                bar.set_position(read_bytes);
                bar.set_message(format!("{said}{doing}"));
            }
            How::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let left = left(self.total_bytes, read_bytes, self.begun.elapsed());
                    eprintln!("{said}{left}{doing}");
                }
            }
        }
    }

    /// Removes the bar, so that other lines may follow.
    pub(super) fn clear(&self) {
        if let How::Bar(bar) = &self.how {
            bar.finish_and_clear();
        }
    }
}

/// What an import does now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It puts events into the log.
    Publishing,
    /// It waits until the tables have what the log had before the import.
    CatchingUp(Behind),
    /// It queries the tables for known events and gets no answer.
    Asking,
    /// It lets the tables catch up.
    Pausing(Behind),
    /// Everything is in the log, but not yet in the tables.
    Waiting(Behind),
    /// It has waited that long for an acknowledgement of the log.
    Unanswered(Duration),
}

/// How far the tables are behind, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// Records that they do not have.
    pub(super) records: u64,
    /// The partition that has made no progress for longest, if any, and for how long.
    pub(super) still: Option<(i32, Duration)>,
    /// Why the number is unknown.
    pub(super) unknown: Option<String>,
}

impl Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "they are {} records behind", HumanCount(self.records))?;
        if let Some((partition, still)) = self.still {
            let seconds = still.as_secs();
            write!(
                f,
                ", partition {partition} has not advanced for {seconds} s"
            )?;
        }
        if let Some(why) = &self.unknown {
            write!(f, ", no answer: {why}")?;
        }
        Ok(())
    }
}

fn bar(total_bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match total_bytes {
        Some(total) => {
            let template = "{bar:30} {percent:>3} %, {eta} left  {wide_msg}";
            (ProgressBar::new(total), template)
        }
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}  {wide_msg}"),
    };
    // An invalid template would be a mistake in this file; the default style then applies.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// `, 41 %, 35 seconds left`
fn left(total_bytes: Option<u64>, read_bytes: u64, elapsed: Duration) -> String {
    let Some(total) = total_bytes.filter(|total| *total > 0 && read_bytes > 0) else {
        return String::new();
    };
    let percent = (read_bytes.saturating_mul(100) / total).min(100);
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let share = (total.saturating_sub(read_bytes)) as f64 / read_bytes as f64;
    let left = HumanDuration(elapsed.mul_f64(share));
    format!(", {percent} %, {left} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_shown_when_the_size_is_known() {
        let elapsed = Duration::from_secs(30);
        assert_eq!(left(Some(400), 300, elapsed), ", 75 %, 10 seconds left");
        assert_eq!(left(None, 300, elapsed), "");
        assert_eq!(left(Some(0), 0, elapsed), "");
    }
}
