//! The publisher: takes the lock, checks the log, and publishes changes as they arrive.

use super::{
    PublishError, log,
    republish::republish,
    send::{BATCH, Outgoing, send},
};
use crate::{
    app::Database,
    store::outbox::{self, CHANNEL, PublishedLog},
};
use runtime::{Lifecycle, Producer, Readiness, kafka::KafkaSettings};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgListener};
use std::{
    convert::Infallible,
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// Its part in `/ready`.
pub(crate) const PART: &str = "directory publisher";

/// How often a waiting publisher asks for the lock. A blocking request would hold a snapshot for
/// hours and keep vacuum from cleaning up.
const LOCK_PAUSE: Duration = Duration::from_millis(500);
/// Pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How often to look for changes without a notification, which is lost with its connection.
const SAFETY_POLL: Duration = Duration::from_secs(5);
/// How often to check that the log is still the same.
const LOG_CHECK: Duration = Duration::from_mins(1);

/// Lets the server end the session of a publisher whose machine is gone, and so release its lock.
/// The timeouts exceed the time that the broker may take between two statements.
const SESSION: &str = "\
SET idle_session_timeout = '60s';
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3";

/// Publishes the outbox while it holds the lock.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) database: Database,
    pub(crate) kafka: KafkaSettings,
    pub(crate) producer: Producer,
    pub(crate) readiness: Readiness,
    pub(crate) lifecycle: Lifecycle,
}

impl Publisher {
    /// Works until workers must stop. Unfinished changes stay in the outbox and are published once
    /// more at the next start; readers ignore the repeats by their row version.
    pub(crate) async fn run(self) -> Result<(), Infallible> {
        tokio::select! {
            () = self.lifecycle.workers_stopping() => {}
            () = self.work() => {}
        }
        Ok(())
    }

    async fn work(&self) {
        observe_publishing(false);
        self.database.usable().await;
        let mut said = String::new();
        loop {
            let Err(error) = self.hold().await;
            observe_publishing(false);
            let text = error.to_string();
            if error.is_broker_away() {
                // Only the directory needs the broker, so the routes must not wait for it.
                self.readiness.ready(PART);
            } else if !self.was_ready() {
                // Only before the first success: later failures must not take a working api out of
                // service.
                self.readiness.missing(PART, &*text);
            }
            // Each reason is logged once, not at every attempt.
            if text != said {
                warn!("cannot publish changes, retrying: {text}");
                said = text;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    fn was_ready(&self) -> bool {
        self.readiness.parts().get(PART) == Some(&None)
    }

    /// Takes the lock and publishes. Every failure drops the connection and with it the lock. So
    /// another api may take over, and the log is checked before anything else is published.
    async fn hold(&self) -> Result<Infallible, PublishError> {
        let mut connection = self.database.raw_pool().connect_options().connect().await?;
        connection.execute(SESSION).await?;
        let mut counted: Option<Instant> = None;
        while !outbox::try_lock(&mut connection).await? {
            self.readiness.ready(PART);
            // If the publisher with the lock does nothing, this gauge shows it.
            if counted.is_none_or(|at| at.elapsed() >= SAFETY_POLL) {
                observe_waiting(&mut connection).await?;
                counted = Some(Instant::now());
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        // Listens before the first look, so that no change is missed in between.
        let mut changes = PgListener::connect_with(self.database.raw_pool()).await?;
        changes.listen(CHANNEL).await?;
        observe_waiting(&mut connection).await?;
        let mut log = self.resume(&mut connection).await?;
        observe_publishing(true);
        let mut compared = Instant::now();
        loop {
            self.drain(&mut connection, &mut log).await?;
            self.readiness.ready(PART);
            if compared.elapsed() >= LOG_CHECK {
                let (log_id, holds) = log::compare(&self.kafka, Some(&log)).await?;
                if log_id != log.log_id || !holds {
                    return Err(PublishError::Replaced);
                }
                compared = Instant::now();
            }
            tokio::select! {
                change = changes.recv() => { change?; }
                () = tokio::time::sleep(SAFETY_POLL) => {}
            }
        }
    }

    /// Checks that the log has everything that was published to it; otherwise publishes everything
    /// again.
    async fn resume(&self, connection: &mut PgConnection) -> Result<PublishedLog, PublishError> {
        let remembered = outbox::read_log(&mut *connection).await?;
        let (log_id, holds) = log::compare(&self.kafka, remembered.as_ref()).await?;
        match remembered {
            Some(log) if holds => {
                info!(
                    "publishing changes to log {log_id} from offset {}",
                    log.next_offset
                );
                Ok(log)
            }
            _ => republish(connection, &self.producer, log_id).await,
        }
    }

    /// Publishes waiting changes in the order in which they were made.
    async fn drain(
        &self,
        connection: &mut PgConnection,
        log: &mut PublishedLog,
    ) -> Result<(), PublishError> {
        loop {
            let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let waiting = outbox::list_oldest(connection, limit).await?;
            let ids: Vec<i64> = waiting.iter().map(|change| change.id).collect();
            let outgoing: Vec<Outgoing> = waiting
                .into_iter()
                .map(|change| Outgoing {
                    key: change.entry_key,
                    payload: change.payload,
                })
                .collect();
            let Some(sent) = send(&self.producer, &outgoing).await? else {
                return observe_waiting(connection).await;
            };
            // A lower offset means that the log is another one, or has lost its end.
            if sent.first < log.next_offset {
                return Err(PublishError::Replaced);
            }
            log.next_offset = sent.next;
            log.last_payload = outgoing.into_iter().next_back().map(|last| last.payload);
            // One transaction: without the stored position, a restart could not check the log.
            let mut tx = connection.begin().await?;
            outbox::delete(&mut tx, &ids).await?;
            outbox::write_log(&mut tx, log).await?;
            tx.commit().await?;
        }
    }
}

fn observe_publishing(publishes: bool) {
    metrics::gauge!("api_outbox_publishing").set(if publishes { 1.0 } else { 0.0 });
}

async fn observe_waiting(connection: &mut PgConnection) -> Result<(), PublishError> {
    let waiting = outbox::count(connection).await?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge of a queue's length")]
    metrics::gauge!("api_outbox_waiting").set(waiting as f64);
    Ok(())
}
