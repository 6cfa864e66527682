//! Records the conversions of a batch in the main database, and sends their events to the log.
//!
//! The rule to keep: a conversion is recorded by the api's own code, so it counts as a live one would,
//! and its event leaves the main database only after the log has it.

use super::{
    bad_lines::Told,
    progress::{Behind, Doing},
    publish::{GIVE_UP_AFTER, Publisher, Refused, TELL_EVERY},
};
use api::{PastConversion, PastOutcome};
use ingest::history::TakenConversion;
use std::time::{Duration, Instant};

/// Pause before another look at events that another program is publishing.
const PAUSE: Duration = Duration::from_millis(100);

impl Publisher<'_> {
    /// Records conversions, each with the number of its line.
    pub(super) async fn record(
        &mut self,
        conversions: Vec<(u64, TakenConversion)>,
    ) -> Result<(), Refused> {
        for (line, taken) in conversions {
            let outcome = match self.conversions {
                Some(history) => history.record(&past(taken)).await?,
                None => PastOutcome::Refused(
                    "no_database",
                    "a conversion is recorded in the main database; give DATABASE_URL".to_owned(),
                ),
            };
            match outcome {
                PastOutcome::Refused(reason, problem) => self.bad.add(Told {
                    line,
                    reason: reason.into(),
                    problem,
                }),
                outcome => self.published.counts.convert(&outcome),
            }
        }
        Ok(())
    }

    /// Publishes the events of all recorded conversions, and notes that the tables must have all
    /// that the log has then.
    pub(super) async fn publish_conversions(&mut self) -> Result<(), Refused> {
        // Also after known ones: an earlier import may have ended before it published theirs.
        if self.published.counts.conversions == 0 {
            return Ok(());
        }
        let Some(history) = self.conversions else {
            return Ok(());
        };
        let begun = Instant::now();
        loop {
            let left = GIVE_UP_AFTER.saturating_sub(begun.elapsed());
            let published = tokio::time::timeout(left, history.publish(self.producer));
            if published.await.map_err(|_| Refused::Silent)?? == 0 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        // Another program may have published some, so only the log's ends say where they are. The
        // look that is seen now may be older than them, and so may the next, which may have begun
        // before.
        for _ in 0..2 {
            self.fresh_look().await?;
        }
        let standing = self.seen.borrow().standing.clone();
        let ends = standing.map(|standing| standing.ends()).unwrap_or_default();
        for (partition, end) in ends {
            let through = self.published.through.entry(partition).or_default();
            *through = (*through).max(end);
        }
        Ok(())
    }

    /// Waits for a new look at the tables and the log.
    async fn fresh_look(&mut self) -> Result<(), Refused> {
        self.look()?;
        loop {
            match tokio::time::timeout(TELL_EVERY, self.seen.changed()).await {
                Ok(Err(_)) => return Err(Refused::Unwatched),
                Ok(Ok(())) => {
                    if self.look()?.is_some() {
                        return Ok(());
                    }
                }
                Err(_) => self.tell(&Doing::Waiting(Behind::default())),
            }
        }
    }
}

fn past(taken: TakenConversion) -> PastConversion {
    let TakenConversion {
        event_id,
        workspace_no,
        workspace_id,
        click_id,
        occurred_at,
        members,
    } = taken;
    PastConversion {
        event_id,
        workspace_no,
        workspace_id,
        click_id,
        occurred_at,
        members,
    }
}
