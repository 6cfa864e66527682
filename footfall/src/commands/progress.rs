//! Shows how far a command has read the log: a bar on a terminal, otherwise a line every few seconds.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Time between two lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress through a number of records, on standard error.
#[derive(Debug)]
pub struct Progress {
    doing: &'static str,
    how: How,
}

#[derive(Debug)]
enum How {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// For work that begins; `doing` names it.
    #[must_use]
    pub fn new(doing: &'static str) -> Self {
        let how = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(0);
            // An invalid template would be a mistake in this file; the default style then applies.
            let template = "{msg}  {bar:30} {percent:>3} %, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(doing);
            How::Bar(bar)
        } else {
            How::Lines {
                last: Instant::now(),
            }
        };
        Self { doing, how }
    }

    /// Shows how many of the records are done.
    pub fn show(&mut self, done: u64, records: u64) {
        match &mut self.how {
            How::Bar(bar) => {
                bar.set_length(records);
                bar.set_position(done);
            }
            How::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let (done, records) = (HumanCount(done), HumanCount(records));
                    eprintln!("{}: {done} of {records} records", self.doing);
                }
            }
        }
    }

    /// Removes the bar, so that other lines may follow.
    pub fn clear(&self) {
        if let How::Bar(bar) = &self.how {
            bar.finish_and_clear();
        }
    }
}
