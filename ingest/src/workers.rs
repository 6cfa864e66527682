//! The workers of an instance: the loops that run beside the requests until the workers stop.
//!
//! Owns the loops; [`crate::start`] starts them. The one rule: before a worker ends, it completes
//! or reports the work that it holds.

use crate::{
    directory::{Directory, fingerprints, fingerprints::FingerprintError},
    intake::Intake,
    refusals::Which,
    sink::spool::Spool,
};
use runtime::{
    Clock, Lifecycle, Producer, Readiness,
    kafka::KafkaSettings,
    topics::{self, TopicError},
};
use schemas::directory::SecretFingerprints;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::watch;
use tracing::{error, warn};

/// Readiness part: the topics exist and are configured as required.
pub const LOG_PART: &str = "log";
/// Readiness part: the directory is read, and our secrets match the log.
pub const DIRECTORY_PART: &str = "directory";
/// Pause before the next question to the broker.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long the producer may wait at the end for acknowledgements. Longer than the timeout of a
/// record, so every record is either acknowledged or given up.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often throttles drop idle keys.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// Waits until the topics exist. Wrongly configured topics end the program.
pub(crate) async fn check_log(
    kafka: KafkaSettings,
    readiness: Readiness,
    lifecycle: Lifecycle,
) -> Result<(), TopicError> {
    let check = async {
        loop {
            match topics::ready(&kafka).await {
                Ok(_) => {
                    readiness.ready(LOG_PART);
                    return Ok(());
                }
                Err(error @ TopicError::Wrong { .. }) => return Err(error),
                Err(error) => readiness.missing(LOG_PART, error.to_string()),
            }
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
    };
    tokio::select! {
        checked = check => checked,
        () = lifecycle.workers_stopping() => Ok(()),
    }
}

/// Compares the secrets once the directory has been read, and after each change of it.
pub(crate) struct SecretGuard {
    pub(crate) directory: Arc<Directory>,
    pub(crate) given: SecretFingerprints,
    pub(crate) accept_new: bool,
    pub(crate) producer: Arc<Producer>,
    pub(crate) readiness: Readiness,
}

impl SecretGuard {
    pub(crate) async fn run(
        self,
        mut completed: watch::Receiver<bool>,
    ) -> Result<(), FingerprintError> {
        // The feed dropped its sender, so the program is stopping.
        if completed.wait_for(|complete| *complete).await.is_err() {
            return Ok(());
        }
        self.settle().await?;
        self.readiness.ready(DIRECTORY_PART);
        loop {
            let changed = |directory: &Directory| match directory.secrets() {
                // The topic was replaced. The new one must have the fingerprints too.
                None => Some(Vec::new()),
                Some(stored) => {
                    let strangers = crate::secrets::strangers(&stored, &self.given);
                    (!strangers.is_empty()).then_some(strangers)
                }
            };
            match self.directory.wait_for(Duration::MAX, changed).await {
                Some(strangers) if strangers.is_empty() => self.settle().await?,
                Some(strangers) => {
                    error!(
                        "another instance was started with another {}; the events of the two are inconsistent",
                        strangers.join(", ")
                    );
                    // One log line is enough, so the worker waits for the stop.
                    std::future::pending::<()>().await;
                }
                None => {}
            }
        }
    }

    /// Compares until there is a result. While the broker is unavailable, our fingerprints cannot
    /// be written, so it retries.
    async fn settle(&self) -> Result<(), FingerprintError> {
        loop {
            let settled = fingerprints::settle(
                &self.directory,
                &self.given,
                self.accept_new,
                &self.producer,
            );
            match settled.await {
                Err(FingerprintError::Unwritten(why)) => {
                    warn!("cannot write the fingerprints of the secrets yet: {why}");
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
                settled => return settled,
            }
        }
    }
}

/// Makes throttles drop idle keys regularly.
pub(crate) async fn forget_idle(intake: Arc<Intake>) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        intake.throttles().forget_idle();
    }
}

/// Publishes sums of refusals after each minute, and all remaining ones at the end.
pub(crate) async fn publish_refusals(
    intake: Arc<Intake>,
    producer: Arc<Producer>,
    spool: Option<Arc<Spool>>,
    clock: Arc<dyn Clock>,
    lifecycle: Lifecycle,
) -> Result<(), Infallible> {
    loop {
        let into_minute = clock.now().as_millisecond().rem_euclid(60_000);
        // 100 ms into the next minute, so that a timer that fires early still finds this one over.
        let wait = Duration::from_millis(u64::try_from(60_100 - into_minute).unwrap_or(60_000));
        tokio::select! {
            () = lifecycle.workers_stopping() => break,
            () = tokio::time::sleep(wait) => intake.publish_refusals(Which::Finished).await,
        }
    }
    // Deliveries whose clients disconnected may still be running.
    intake.finish_deliveries().await;
    intake.publish_refusals(Which::All).await;
    let left = intake.refusals().waiting();
    if left > 0 {
        warn!("{left} sums of refused beacons are lost, because the log was unavailable");
    }
    producer.flush(FLUSH_TIMEOUT).await;
    // The last one that writes to it is done.
    if let Some(spool) = spool {
        spool.close().await;
    }
    Ok(())
}
