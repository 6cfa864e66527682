//! An event on its way into the tables.

use crate::fold::{self, Counted, Summary};
use schemas::{Event, Kind};
use std::sync::Arc;

/// An event on its way into the tables.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) event: Arc<Event>,
    pub(super) summary: Summary,
    /// True if it comes from the table `waiting`, false if from the batch.
    pub(super) has_waited: bool,
    /// The position from which it counts. `None` while it does not count, and for a start, which
    /// becomes its session's row.
    pub(super) counted: Option<Counted>,
}

impl Change {
    pub(super) fn new(event: Arc<Event>, seq: i64) -> Self {
        let summary = fold::summarize(&event, seq);
        Self {
            event,
            summary,
            has_waited: false,
            counted: None,
        }
    }

    /// An event that has waited for its session or view.
    pub(super) fn waiting(event: Event, seq: i64) -> Self {
        Self {
            has_waited: true,
            ..Self::new(Arc::new(event), seq)
        }
    }

    /// True when the event counts.
    pub(super) fn counts(&self) -> bool {
        self.counted.is_some() || self.summary.is(Kind::SessionStarted)
    }
}
