//! Leaves out events that log and tables have already, so that importing a file again adds nothing to either.
//!
//! The tables are asked in bulk. What was published a moment ago is not in them yet, so they are asked for a
//! partition once they have what the log had before the import; what slips through counts once all the same.

use super::{
    progress::Doing,
    publish::{Publisher, Refused},
    unit::Unit,
};
use projector::store::Asked;
use runtime::database;
use schemas::{EventId, topics::EVENTS};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// Most ids of one statement.
const ASKED_AT_ONCE: usize = 2_000;
/// How long the database may take for one.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Pause before the tables are asked again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Publisher<'_> {
    /// Leaves out events that are known, and counts lines of which nothing is left.
    ///
    /// An import puts the events of a visit into the log in their order. So one whose first event is not known
    /// has none that is, and most lines of a new file are asked for by one id.
    ///
    /// # Errors
    /// [`Refused`] when the tables do not answer for too long.
    pub(super) async fn leave_out_known(&mut self, units: &mut Vec<Unit>) -> Result<(), Refused> {
        let firsts = units.iter().flat_map(|unit| asked(unit, 0..1));
        let mut known = self.ask(firsts.collect()).await?;
        let begun = units.iter().filter(|unit| {
            let first = unit.events.first();
            first.is_some_and(|first| known.contains(&first.event_id))
        });
        let rest = begun.flat_map(|unit| asked(unit, 1..usize::MAX)).collect();
        known.extend(self.ask(rest).await?);
        for unit in &mut *units {
            unit.events.retain(|event| !known.contains(&event.event_id));
        }
        for unit in units.extract_if(.., |unit| unit.events.is_empty()) {
            self.published.counts.take(unit.is_visit, 0);
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

/// Those events of a unit, as they are asked for.
fn asked(unit: &Unit, events: std::ops::Range<usize>) -> impl Iterator<Item = Asked> {
    let events = unit.events.iter().skip(events.start).take(events.len());
    events.map(|event| Asked {
        partition: unit.partition,
        workspace_no: unit.workspace_no,
        event_id: event.event_id,
    })
}
