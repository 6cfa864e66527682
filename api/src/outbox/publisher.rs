//! The publisher: takes the lock, compares the log, publishes what waits, sleeps until told.

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

/// The part of `/ready`.
pub(crate) const PART: &str = "directory publisher";

/// How often one that waits asks for the lock. A blocking request would hold a snapshot for hours
/// and keep vacuum from cleaning up.
const LOCK_PAUSE: Duration = Duration::from_millis(500);
/// How long to wait after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How often to look without having been told: a notification is lost with its connection.
const SAFETY_POLL: Duration = Duration::from_secs(5);
/// How often to ask whether the log is still the same.
const LOG_CHECK: Duration = Duration::from_mins(1);

/// Lets the server end the session, and with it the lock, of a publisher whose machine is gone. Longer
/// than the broker may keep one busy between two statements.
const SESSION: &str = "\
SET idle_session_timeout = '60s';
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3";

/// Publishes the outbox while it is the one that may.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) database: Database,
    pub(crate) kafka: KafkaSettings,
    pub(crate) producer: Producer,
    pub(crate) readiness: Readiness,
    pub(crate) lifecycle: Lifecycle,
}

impl Publisher {
    /// Works until workers are told to finish. Whatever is in flight then stays in the outbox and is
    /// published once more at the next start, which readers ignore by its row version.
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
                // Nothing but the directory needs the broker: the routes must not wait for it.
                self.readiness.ready(PART);
            } else if !self.was_ready() {
                self.readiness.missing(PART, &*text);
            }
            if text != said {
                warn!("changes wait to be published, trying again: {text}");
                said = text;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    fn was_ready(&self) -> bool {
        self.readiness.parts().get(PART) == Some(&None)
    }

    /// Takes the lock and publishes. Every failure gives up the connection and with it the lock, so
    /// that another may have more luck and the log is compared before anything else is published.
    async fn hold(&self) -> Result<Infallible, PublishError> {
        let mut connection = self.database.raw_pool().connect_options().connect().await?;
        connection.execute(SESSION).await?;
        let mut counted: Option<Instant> = None;
        while !outbox::try_lock(&mut connection).await? {
            self.readiness.ready(PART);
            // If the one that has the lock does nothing, this is where it shows.
            if counted.is_none_or(|at| at.elapsed() >= SAFETY_POLL) {
                observe_waiting(&mut connection).await?;
                counted = Some(Instant::now());
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
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

    /// Makes sure that the log holds everything that was published to it.
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

    /// Publishes what waits, in the order in which it was made.
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
            if sent.first < log.next_offset {
                return Err(PublishError::Replaced);
            }
            log.next_offset = sent.next;
            log.last_payload = outgoing.into_iter().next_back().map(|last| last.payload);
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
