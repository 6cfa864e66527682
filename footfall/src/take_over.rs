//! Shows the progress of copying a former log: a bar on a terminal, otherwise a log line every few
//! seconds.

use footfall_log::{MigrationReport, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tracing::info;

/// Time between two lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A progress report for a log that is about to start. Shows nothing unless a former log must be
/// copied.
pub(crate) fn report() -> MigrationReport {
    let shown = Mutex::new(None);
    MigrationReport::new(move |progress| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.get_or_insert_with(Shown::new).show(&progress);
    })
}

enum Shown {
    Bar(ProgressBar),
    Lines(Instant),
}

impl Shown {
    fn new() -> Self {
        info!("copying the log into its new format; the old file stays until the copy is verified");
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Instant::now());
        }
        let bar = ProgressBar::new(0);
        let style = "{wide_bar} {percent} % of {human_len} steps, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    fn show(&mut self, progress: &Progress) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(progress.total);
                bar.set_position(progress.done);
                if progress.done >= progress.total {
                    bar.finish_and_clear();
                }
            }
            Self::Lines(last) if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                let percent = progress.done.saturating_mul(100) / progress.total.max(1);
                info!("copying the log: {percent} %");
            }
            Self::Lines(_) => {}
        }
    }
}
