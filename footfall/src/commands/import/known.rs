//! Drops events that the log and the tables already have, so that importing a file again adds
//! nothing.
//!
//! The tables are queried in bulk, for a partition once they have what it had before the import.
//! Events that this import published a moment ago are not in the tables yet; `recent` remembers
//! them. Events that others publish meanwhile are not recognised here, and still count once.

use super::{
    progress::Doing,
    publish::{Publisher, Refused},
    recent::Recent,
    unit::Unit,
};
use projector::store::Asked;
use runtime::database;
use schemas::{EventId, topics::EVENTS};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// Maximum number of ids in one statement.
const ASKED_AT_ONCE: usize = 2_000;
/// How long the database may take for one statement.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Pause before another attempt.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Publisher<'_> {
    /// Drops known and repeated events. Counts lines that have no event left as known.
    ///
    /// An import publishes the events of a visit in order. If the first one is unknown, so are the
    /// others. So most lines of a new file need one look-up.
    ///
    /// # Errors
    /// [`Refused`] when the tables do not answer for too long.
    pub(super) async fn leave_out_known(&mut self, units: &mut Vec<Unit>) -> Result<(), Refused> {
        let standing = self.seen.borrow().standing.clone();
        // Before the look-up: the tables have everything that is forgotten here.
        if let Some(standing) = &standing {
            self.recent.forget(standing);
        }
        let repeated = leave_out_repeated(units, &self.recent);
        let firsts = units.iter().flat_map(|unit| asked(unit, 0..1));
        let mut known = self.ask(firsts.collect()).await?;
        // Only units that an earlier import may have begun need a look-up of their other events.
        let begun = units.iter().zip(&repeated).filter(|(unit, repeated)| {
            let first = unit.events.first();
            **repeated || first.is_some_and(|first| known.contains(&first.event_id))
        });
        let rest = begun.flat_map(|(unit, _)| asked(unit, 1..usize::MAX));
        let rest = self.ask(rest.collect()).await?;
        known.extend(rest);
        for unit in &mut *units {
            unit.events.retain(|event| !known.contains(&event.event_id));
        }
        for unit in units.extract_if(.., |unit| unit.events.is_empty()) {
            self.published.counts.take(unit.kind, 0);
        }
        Ok(())
    }

    async fn ask(&mut self, ids: Vec<Asked>) -> Result<HashSet<EventId>, Refused> {
        let mut known = HashSet::new();
        for piece in ids.chunks(ASKED_AT_ONCE) {
            known.extend(self.ask_patiently(piece).await?);
        }
        Ok(known)
    }

    async fn ask_patiently(&mut self, ids: &[Asked]) -> Result<HashSet<EventId>, Refused> {
        let begun = Instant::now();
        loop {
            let asking = self.store.find_in_log(EVENTS, ids);
            let why = match tokio::time::timeout(TIMEOUT, asking).await {
                Ok(Ok(known)) => return Ok(known),
                Ok(Err(error)) => {
                    format!("the analytics database: {}", database::message(&error))
                }
                Err(_) => "the analytics database is too slow".to_owned(),
            };
            let after = begun.elapsed();
            if after >= self.patience {
                return Err(Refused::Unanswered { after, why });
            }
            self.tell(&Doing::Asking);
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// Drops events that were published a moment ago or that occur twice in these units. Returns, for
/// each unit, whether it had any.
fn leave_out_repeated(units: &mut [Unit], recent: &Recent) -> Vec<bool> {
    let mut seen = HashSet::new();
    let leave_out = |unit: &mut Unit| {
        let before = unit.events.len();
        unit.events
            .retain(|event| !recent.has(event.event_id) && seen.insert(event.event_id));
        unit.events.len() < before
    };
    units.iter_mut().map(leave_out).collect()
}

/// A range of a unit's events, as look-ups.
fn asked(unit: &Unit, events: std::ops::Range<usize>) -> impl Iterator<Item = Asked> {
    let events = unit.events.iter().skip(events.start).take(events.len());
    events.map(|event| Asked {
        partition: unit.partition,
        workspace_no: unit.workspace_no,
        event_id: event.event_id,
        occurred_at: event.occurred_at,
        received_at: event.received_at,
    })
}
