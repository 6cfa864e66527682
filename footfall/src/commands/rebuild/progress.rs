//! Shows how far a rebuild is: a bar on a terminal, else a line now and then.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use projector::rebuild::Stand;
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Tells on standard error how far a rebuild is.
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
    /// Of a rebuild that begins.
    #[must_use]
    pub fn new() -> Self {
        let how = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(0);
            let template = "making the tables from the log  {bar:30} {percent:>3} %, {eta} left";
            // A template that cannot be read would be a mistake in this file; the default then serves.
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

    /// That far.
    pub fn tell(&mut self, stand: Stand) {
        let folded = stand.folded.unsigned_abs();
        let records = stand.records.unsigned_abs();
        match &mut self.how {
            How::Bar(bar) => {
                bar.set_length(records);
                bar.set_position(folded);
            }
            How::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let (folded, records) = (HumanCount(folded), HumanCount(records));
                    eprintln!("making the tables from the log: {folded} of {records} records");
                }
            }
        }
    }

    /// Takes the bar away, so that other lines may follow.
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
