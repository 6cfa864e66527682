//! Counts the outcome of every request for a short link.

use metrics::{Counter, Histogram};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The outcome of a request for a short link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A person's click, in the log.
    Recorded,
    /// A machine's request, in the log.
    Bot,
    /// Answered without a record, as the request asked for.
    Untracked,
    /// There is no such link.
    Unknown,
    /// The owner, the time or the limit closed the link.
    Closed,
    /// The link asked for its password.
    Locked,
    /// Answered, but the log did not take the click.
    Lost,
}

impl Outcome {
    /// Every outcome, in the order of the cells.
    pub const ALL: [Self; 7] = [
        Self::Recorded,
        Self::Bot,
        Self::Untracked,
        Self::Unknown,
        Self::Closed,
        Self::Locked,
        Self::Lost,
    ];

    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Bot => "bot",
            Self::Untracked => "untracked",
            Self::Unknown => "unknown",
            Self::Closed => "closed",
            Self::Locked => "locked",
            Self::Lost => "lost",
        }
    }
}

struct Cell {
    outcome: Outcome,
    count: AtomicU64,
    // Kept, so that counting does not look the metric up by name.
    metric: Counter,
}

/// The counters of one instance. Create them after the metrics recorder is installed.
pub struct ClickOutcomes {
    cells: [Cell; Outcome::ALL.len()],
    pub(super) seconds: Histogram,
}

impl Default for ClickOutcomes {
    fn default() -> Self {
        let cell = |outcome: Outcome| Cell {
            outcome,
            count: AtomicU64::new(0),
            metric: metrics::counter!("ingest_clicks_total", "outcome" => outcome.name()),
        };
        Self {
            cells: Outcome::ALL.map(cell),
            seconds: metrics::histogram!("ingest_redirect_seconds"),
        }
    }
}

impl fmt::Debug for ClickOutcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Outcome::ALL.map(|outcome| (outcome.name(), self.count(outcome)));
        f.debug_map().entries(counts).finish()
    }
}

impl ClickOutcomes {
    /// How many requests had this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        let cell = self.cells.iter().find(|cell| cell.outcome == outcome);
        cell.map_or(0, |cell| cell.count.load(Ordering::Relaxed))
    }

    /// Counts a request.
    pub(super) fn add(&self, outcome: Outcome) {
        if let Some(cell) = self.cells.iter().find(|cell| cell.outcome == outcome) {
            cell.count.fetch_add(1, Ordering::Relaxed);
            cell.metric.increment(1);
        }
    }
}

/// A click on its way to the log. Counts exactly once, as lost unless it is settled.
#[derive(Debug)]
pub(super) struct Ticket {
    outcomes: Arc<ClickOutcomes>,
    on_drop: Outcome,
}

impl Ticket {
    pub(super) const fn new(outcomes: Arc<ClickOutcomes>) -> Self {
        Self {
            outcomes,
            on_drop: Outcome::Lost,
        }
    }

    /// Counts the click with this outcome.
    pub(super) fn settle(mut self, outcome: Outcome) {
        // The drop at the end of this function counts it.
        self.on_drop = outcome;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.outcomes.add(self.on_drop);
    }
}
