//! Counts exactly one outcome for every beacon, per instance and in metrics.
//!
//! Owns the counting, not the decisions. The one rule: the code that receives a beacon holds a
//! [`Ticket`] for it, which counts once however the request ends.

mod names;

pub use names::{BeaconType, Outcome};

use metrics::Counter;
use schemas::RefusalReason;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Every reason, in the order of [`Outcomes`]' cells.
pub const REASONS: [RefusalReason; 8] = [
    RefusalReason::Bot,
    RefusalReason::Consent,
    RefusalReason::Token,
    RefusalReason::NoPage,
    RefusalReason::NoSession,
    RefusalReason::TrackingDisabled,
    RefusalReason::Flood,
    RefusalReason::SessionOver,
];

struct Cell {
    count: AtomicU64,
    // Kept, so that counting a beacon does not look the metric up by name.
    metric: Counter,
}

impl Cell {
    fn new(metric: Counter) -> Self {
        Self {
            count: AtomicU64::new(0),
            metric,
        }
    }

    fn add_one(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.metric.increment(1);
    }

    fn get(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// The counters of one instance. Create them after the metrics recorder is installed.
pub struct Outcomes {
    beacons: Vec<(BeaconType, Outcome, Cell)>,
    refused: Vec<(RefusalReason, Cell)>,
}

impl fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.counts()).finish()
    }
}

impl Default for Outcomes {
    fn default() -> Self {
        let pairs = BeaconType::ALL
            .into_iter()
            .flat_map(|kind| Outcome::ALL.into_iter().map(move |outcome| (kind, outcome)));
        let beacons = pairs.map(|(kind, outcome)| {
            let metric = metrics::counter!(
                "ingest_beacons_total", "type" => kind.name(), "outcome" => outcome.name()
            );
            (kind, outcome, Cell::new(metric))
        });
        let refused = REASONS.into_iter().map(|reason| {
            let metric = metrics::counter!("ingest_refused_total", "reason" => reason.name());
            (reason, Cell::new(metric))
        });
        Self {
            beacons: beacons.collect(),
            refused: refused.collect(),
        }
    }
}

impl Outcomes {
    /// How many beacons of this type had this outcome.
    #[must_use]
    pub fn count(&self, kind: BeaconType, outcome: Outcome) -> u64 {
        self.cell(kind, outcome).map_or(0, Cell::get)
    }

    /// How many beacons of any type had this outcome.
    #[must_use]
    pub fn sum(&self, outcome: Outcome) -> u64 {
        BeaconType::ALL
            .into_iter()
            .map(|kind| self.count(kind, outcome))
            .sum()
    }

    /// How many beacons have an outcome. With none in flight, this is the number received.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.beacons.iter().map(|(.., cell)| cell.get()).sum()
    }

    /// How many beacons were refused for this reason.
    #[must_use]
    pub fn refused(&self, reason: RefusalReason) -> u64 {
        self.refused
            .iter()
            .find(|(each, _)| *each == reason)
            .map_or(0, |(_, cell)| cell.get())
    }

    /// Every count above zero, as (`session.accepted`, 3).
    pub fn counts(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        self.beacons
            .iter()
            .map(|(kind, outcome, cell)| (*kind, *outcome, cell.get()))
            .filter(|(.., count)| *count > 0)
            .map(|(kind, outcome, count)| (format!("{}.{}", kind.name(), outcome.name()), count))
    }

    /// Takes a ticket for a received beacon. If it is dropped unsettled, the beacon counts as
    /// [`Outcome::Invalid`], because a beacon whose connection breaks off is incomplete.
    pub fn ticket(self: &Arc<Self>, kind: BeaconType) -> Ticket {
        Ticket {
            outcomes: Arc::clone(self),
            kind,
            on_drop: Some(Outcome::Invalid),
        }
    }

    fn cell(&self, kind: BeaconType, outcome: Outcome) -> Option<&Cell> {
        // `default` creates the cells in the order of both lists, so the index needs no search.
        let at = kind as usize * Outcome::ALL.len() + outcome as usize;
        self.beacons.get(at).map(|(.., cell)| cell)
    }

    fn add(&self, kind: BeaconType, outcome: Outcome) {
        if let Some(cell) = self.cell(kind, outcome) {
            cell.add_one();
        }
    }
}

/// A beacon in progress. Counts exactly once: when it is settled or when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    outcomes: Arc<Outcomes>,
    kind: BeaconType,
    on_drop: Option<Outcome>,
}

impl Ticket {
    /// Counts the beacon with this outcome.
    pub fn settle(mut self, outcome: Outcome) {
        // The drop at the end of this function counts it.
        self.on_drop = Some(outcome);
    }

    /// Counts the beacon as refused for this reason.
    pub fn refuse(self, reason: RefusalReason) {
        if let Some((_, cell)) = self
            .outcomes
            .refused
            .iter()
            .find(|(each, _)| *each == reason)
        {
            cell.add_one();
        }
        self.settle(Outcome::Refused);
    }

    /// Sets the outcome of a beacon that is dropped unsettled, for example when its client
    /// disconnects.
    pub fn otherwise(&mut self, outcome: Outcome) {
        self.on_drop = Some(outcome);
    }

    /// Counts nothing: this was the envelope of other beacons, which have their own tickets.
    pub fn dissolve(mut self) {
        self.on_drop = None;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(outcome) = self.on_drop {
            self.outcomes.add(self.kind, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_found_at_its_index() {
        let outcomes = Outcomes::default();
        for (kind, outcome, _) in &outcomes.beacons {
            outcomes.add(*kind, *outcome);
            assert_eq!(outcomes.count(*kind, *outcome), 1);
        }
        let kinds = u64::try_from(BeaconType::ALL.len()).unwrap();
        let count = u64::try_from(Outcome::ALL.len()).unwrap();
        assert_eq!(outcomes.total(), kinds * count);
        assert!(
            Outcome::ALL
                .into_iter()
                .all(|each| outcomes.sum(each) == kinds)
        );
    }

    #[test]
    fn a_ticket_counts_once_however_it_ends() {
        let outcomes = Arc::new(Outcomes::default());
        outcomes.ticket(BeaconType::Leave).settle(Outcome::Accepted);
        outcomes
            .ticket(BeaconType::Track)
            .refuse(RefusalReason::NoSession);
        drop(outcomes.ticket(BeaconType::Session));
        let mut abandoned = outcomes.ticket(BeaconType::Session);
        abandoned.otherwise(Outcome::UnknownPage);
        drop(abandoned);
        outcomes.ticket(BeaconType::Batch).dissolve();
        let counts: Vec<_> = outcomes.counts().collect();
        let expected = [
            ("session.invalid", 1),
            ("session.unknown_page", 1),
            ("leave.accepted", 1),
            ("track.refused", 1),
        ];
        assert_eq!(
            counts,
            expected.map(|(name, count)| (name.to_owned(), count))
        );
        assert_eq!(outcomes.refused(RefusalReason::NoSession), 1);
    }
}
