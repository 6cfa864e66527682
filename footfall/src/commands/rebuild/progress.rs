//! Shows the progress of a rebuild: a bar on a terminal, otherwise a line every few seconds.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use projector::rebuild::Folded;
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Time between two lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of a rebuild, on standard error.
#[derive(Debug)]
pub struct Progress {
    how: How,
}

#[derive(Debug)]
enum How {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// For a rebuild that begins.
    #[must_use]
    pub fn new() -> Self {
        let how = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(0);
            let template =
                "rebuilding the tables from the log  {bar:30} {percent:>3} %, {eta} left";
            // An invalid template would be a mistake in this file; the default style then applies.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            How::Bar(bar)
        } else {
            How::Lines {
                last: Instant::now(),
            }
        };
        Self { how }
    }

    /// Shows the records folded so far.
    pub fn show(&mut self, so_far: Folded) {
        let folded = so_far.folded.unsigned_abs();
        let records = so_far.records.unsigned_abs();
        match &mut self.how {
            How::Bar(bar) => {
                bar.set_length(records);
                bar.set_position(folded);
            }
            How::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let (folded, records) = (HumanCount(folded), HumanCount(records));
                    eprintln!("rebuilding the tables from the log: {folded} of {records} records");
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

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
