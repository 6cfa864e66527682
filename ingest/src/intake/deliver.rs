//! The last stage: publishes events and settles the outcomes of their beacons.
//!
//! The one rule: once the sink has an event, its outcome is settled even if the client no longer
//! waits for the answer.

use super::passage::{Fate, Passage};
use crate::{
    outcome::{Outcome, Ticket},
    sink::{NotDurable, Outgoing, Sink},
};
use metrics::Histogram;
use std::{fmt, sync::Arc, time::Instant};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::error;

/// Publishes the events of each group together.
pub(super) struct Deliveries {
    sink: Arc<dyn Sink>,
    running: TaskTracker,
    // Kept, so that publishing does not look the metric up by name.
    seconds: Histogram,
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("sink", &self.sink)
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

/// Events that the sink has. They are published even if the caller drops this.
#[derive(Debug)]
pub(super) struct Delivery {
    events: usize,
    task: JoinHandle<Vec<Result<(), NotDurable>>>,
}

impl Deliveries {
    pub(super) fn new(sink: Arc<dyn Sink>) -> Self {
        Self {
            sink,
            running: TaskTracker::new(),
            seconds: metrics::histogram!("ingest_publish_seconds"),
        }
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    /// Publishes the accepted beacons and waits for the result of each.
    pub(super) async fn deliver(&self, passages: &mut [Passage<'_>]) {
        let mut events = Vec::new();
        let mut tickets = Vec::new();
        for passage in &mut *passages {
            let Fate::Accepted(event, _) = &passage.fate else {
                continue;
            };
            match Outgoing::of(event) {
                Ok(outgoing) => {
                    events.push(outgoing);
                    tickets.extend(passage.ticket.take());
                }
                Err(lost) => {
                    error!("{lost}");
                    passage.settle(Outcome::Overloaded);
                    passage.fate = Fate::Lost(lost);
                }
            }
        }
        if events.is_empty() {
            return;
        }
        // Results come in the order of the accepted passages: failed ones have another fate by now.
        let mut results = self.hand_over(events, tickets).results().await.into_iter();
        for passage in passages {
            if let Fate::Accepted(_, answer) = passage.fate {
                passage.fate = match results.next() {
                    Some(Ok(())) => Fate::Kept(answer),
                    Some(Err(lost)) => Fate::Lost(lost),
                    None => Fate::Lost(NotDurable("the sink returned no result".to_owned())),
                };
            }
        }
    }

    /// Hands events and their tickets to the sink, in a task of its own. Otherwise a client that
    /// disconnects would cancel the wait, and an event in the log would count as not accepted.
    fn hand_over(&self, events: Vec<Outgoing>, mut tickets: Vec<Ticket>) -> Delivery {
        for ticket in &mut tickets {
            // If the task panics, the dropped tickets count as not published.
            ticket.otherwise(Outcome::Overloaded);
        }
        let (sink, seconds) = (Arc::clone(&self.sink), self.seconds.clone());
        let count = events.len();
        let task = self.running.spawn(async move {
            let started = Instant::now();
            let results = sink.publish(&events).await;
            seconds.record(started.elapsed());
            for (ticket, result) in tickets.into_iter().zip(&results) {
                ticket.settle(match result {
                    Ok(()) => Outcome::Accepted,
                    Err(_) => Outcome::Overloaded,
                });
            }
            results
        });
        Delivery {
            events: count,
            task,
        }
    }

    /// Runs a task that publishes an event nobody waits for.
    pub(super) fn later(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(task);
    }

    /// Publishes one event that nobody sends again.
    pub(super) async fn publish_one(&self, event: &Outgoing) -> Result<(), NotDurable> {
        let started = Instant::now();
        let results = self
            .sink
            .publish_unrepeated(std::slice::from_ref(event))
            .await;
        self.seconds.record(started.elapsed());
        let missing = || Err(NotDurable("the sink gave no result".to_owned()));
        results.into_iter().next().unwrap_or_else(missing)
    }

    /// Waits until every event handed over is settled. The caller must not deliver any more events.
    pub(super) async fn finish(&self) {
        self.running.close();
        self.running.wait().await;
    }
}

impl Delivery {
    /// Waits for one result per event, in order.
    async fn results(self) -> Vec<Result<(), NotDurable>> {
        self.task.await.unwrap_or_else(|error| {
            error!("a delivery crashed: {error}");
            vec![Err(NotDurable("the delivery crashed".to_owned())); self.events]
        })
    }
}
