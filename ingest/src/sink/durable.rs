//! A sink with two places: the log, and the spool while the log does not accept events in time.
//!
//! The one rule: events of a tenant never overtake those that the spool already holds.

use super::{
    LogSink, NotDurable, Outgoing, Sink,
    log::records,
    spool::{Spool, SpoolRefusal},
};
use futures::future::BoxFuture;
use runtime::{
    Producer,
    producer::{Outcomes, SendError},
};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// How long an event waits for the log's acknowledgement before it goes to the spool. Usually that
/// takes milliseconds, an election of a leader some seconds. Longer waits would pile up requests
/// when the broker goes away.
pub const SPOOL_AFTER: Duration = Duration::from_secs(1);

/// Larger events are not spooled. A log that refuses them would hold up their tenants' lanes. Kafka's
/// usual limit is 1 MB.
const MOST_SPOOLED_BYTES: usize = 900_000;

/// Publishes events to the log, or else to a spool.
#[derive(Debug)]
pub struct DurableSink {
    log: LogSink,
    producer: Arc<Producer>,
    spool: Arc<Spool>,
}

/// Whether somebody sends the events again if they are not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    Possible,
    Never,
}

/// The result of an event so far.
type Fate = Result<(), Failure>;

#[derive(Clone, Debug)]
enum Failure {
    /// The log did not accept it in time, for the reason in the text.
    Late(String),
    /// The log never accepts it.
    Unacceptable(String),
    /// The spool did not accept it.
    Spool(SpoolRefusal),
}

impl DurableSink {
    /// Makes a sink. The caller runs the spool's drain.
    #[must_use]
    pub fn new(producer: Arc<Producer>, spool: Arc<Spool>) -> Self {
        Self {
            log: LogSink::new(Arc::clone(&producer)),
            producer,
            spool,
        }
    }

    async fn keep(&self, events: &[Outgoing], repeats: Repeats) -> Vec<Result<(), NotDurable>> {
        let mut fates: Vec<Option<Fate>> = vec![None; events.len()];
        if self.spool.holds_events() {
            let routes = self.spool.routes(events).await;
            let mut spooled = indices(&routes, |spooled| *spooled);
            spooled.retain(|index| fits(events, *index));
            if !spooled.is_empty()
                && let Err(refusal) = self.spool.append(pick(events, &spooled)).await
            {
                // Where nothing of its tenant would be overtaken, an event may still try the log.
                for &index in &spooled {
                    let stays = events
                        .get(index)
                        .is_some_and(|event| self.spool.has_lane(&event.key));
                    if stays {
                        set(&mut fates, index, Err(Failure::Spool(refusal)));
                    }
                }
            } else {
                for &index in &spooled {
                    set(&mut fates, index, Ok(()));
                }
            }
        }
        let open = indices(&fates, Option::is_none);
        let (sent, running) = if open.len() == events.len() {
            self.send(events).await
        } else {
            self.send(&pick(events, &open)).await
        };
        if sent.iter().any(Result::is_ok) && self.spool.holds_events() {
            self.spool.log_answers();
        }
        let late = indices(&sent, |fate| matches!(fate, Err(Failure::Late(_))));
        let late = late.iter().filter_map(|at| open.get(*at).copied());
        let late: Vec<usize> = late.filter(|index| fits(events, *index)).collect();
        for (&index, fate) in open.iter().zip(sent) {
            set(&mut fates, index, fate);
        }
        if !late.is_empty() {
            let kept = self.spool.append_failed(pick(events, &late)).await;
            for &index in &late {
                set(&mut fates, index, kept.map_err(Failure::Spool));
            }
            // What has no place in the spool may still get into the log. A client repeats its beacon
            // instead, and must not wait so long.
            if kept.is_err()
                && repeats == Repeats::Never
                && let Some(running) = running
            {
                let ended = running.await.unwrap_or_default();
                for (&index, outcome) in open.iter().zip(ended) {
                    if outcome.is_ok() {
                        set(&mut fates, index, Ok(()));
                    }
                }
            }
        }
        self.count(&fates);
        fates.into_iter().map(result).collect()
    }

    /// Sends events to the log, and waits for [`SPOOL_AFTER`] at most. After that the producer still
    /// tries, and the returned task ends with its result.
    async fn send(&self, events: &[Outgoing]) -> (Vec<Fate>, Option<JoinHandle<Outcomes>>) {
        if events.is_empty() {
            return (Vec::new(), None);
        }
        let mut sent = Box::pin(self.producer.begin(&records(events)));
        let outcomes: Outcomes = if let Ok(outcomes) = timeout(SPOOL_AFTER, &mut sent).await {
            outcomes
        } else {
            // If the producer succeeds after all, the log may have the event twice, which counts once.
            let running = tokio::spawn(sent);
            let why = format!("no acknowledgement within {} s", SPOOL_AFTER.as_secs());
            return (vec![Err(Failure::Late(why)); events.len()], Some(running));
        };
        let fate = |outcome| match outcome {
            Ok(_) => Ok(()),
            Err(SendError::Refused(why)) => Err(Failure::Unacceptable(why)),
            Err(late) => Err(Failure::Late(late.to_string())),
        };
        (outcomes.into_iter().map(fate).collect(), None)
    }

    fn count(&self, fates: &[Option<Fate>]) {
        for refusal in [SpoolRefusal::Full, SpoolRefusal::Disk] {
            let of_it = |fate: &&Option<Fate>| matches!(fate, Some(Err(Failure::Spool(each))) if *each == refusal);
            let count = fates.iter().filter(of_it).count();
            if count > 0 {
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                self.spool.count_refused(refusal, count);
            }
        }
    }
}

impl Sink for DurableSink {
    fn publish<'a>(&'a self, events: &'a [Outgoing]) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        Box::pin(self.keep(events, Repeats::Possible))
    }

    fn publish_unrepeated<'a>(
        &'a self,
        events: &'a [Outgoing],
    ) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        Box::pin(self.keep(events, Repeats::Never))
    }

    fn publish_kept<'a>(
        &'a self,
        events: &'a [Outgoing],
    ) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        self.log.publish(events)
    }
}

fn indices<T>(items: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    let all = items.iter().enumerate();
    all.filter(|(_, item)| wanted(item))
        .map(|(index, _)| index)
        .collect()
}

/// Whether the spool may have this event.
fn fits(events: &[Outgoing], index: usize) -> bool {
    events
        .get(index)
        .is_some_and(|event| event.payload.len() <= MOST_SPOOLED_BYTES)
}

fn pick(events: &[Outgoing], indices: &[usize]) -> Vec<Outgoing> {
    let picked = indices.iter().filter_map(|index| events.get(*index));
    picked.cloned().collect()
}

fn set(fates: &mut [Option<Fate>], index: usize, fate: Fate) {
    if let Some(slot) = fates.get_mut(index) {
        *slot = Some(fate);
    }
}

fn result(fate: Option<Fate>) -> Result<(), NotDurable> {
    match fate {
        Some(Ok(())) => Ok(()),
        Some(Err(Failure::Late(why) | Failure::Unacceptable(why))) => Err(NotDurable(why)),
        Some(Err(Failure::Spool(refusal))) => Err(NotDurable(format!(
            "the log did not accept it in time, and {refusal}"
        ))),
        None => Err(NotDurable("the producer gave no result".to_owned())),
    }
}
