//! The workers of an instance: what runs beside the requests, each until workers stop.
//!
//! Owns their loops; which there are is [`crate::start`]'s. The one rule: what a worker holds is finished
//! or told before it ends.

use crate::{
    directory::{Directory, fingerprints, fingerprints::FingerprintError},
    intake::Intake,
    refusals::Which,
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

/// Part of the readiness: the topics are there and what they must be.
pub const LOG_PART: &str = "log";
/// Part of the readiness: the directory is read, and the secrets are the log's.
pub const DIRECTORY_PART: &str = "directory";
/// Pause before the broker is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long the producer may take to get acknowledged what it holds at the end. Longer than a record's
/// own time, so that every record is either acknowledged or given up.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often throttles forget who has been quiet.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// Asks until the topics are there; topics that are not what they must be end the program.
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

/// Compares secrets when the directory has been read, and from then on.
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
        // The feed ends only with the program.
        if completed.wait_for(|complete| *complete).await.is_err() {
            return Ok(());
        }
        self.settle().await?;
        self.readiness.ready(DIRECTORY_PART);
        loop {
            let changed = |directory: &Directory| match directory.secrets() {
                // The topic was replaced: the new one must remember them too.
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
                        "another instance was started with another {}: what the two write does not fit together",
                        strangers.join(", ")
                    );
                    // Once is enough: the operator has been told.
                    std::future::pending::<()>().await;
                }
                None => {}
            }
        }
    }

    /// Compares until an answer is there; while the broker is away ours cannot be written.
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
                    warn!("the fingerprints of the secrets are not in the directory yet: {why}");
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
                settled => return settled,
            }
        }
    }
}

/// Lets throttles forget who has been quiet.
pub(crate) async fn forget_idle(intake: Arc<Intake>) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        intake.throttles().forget_idle();
    }
}

/// Publishes sums of refusals after each minute, and at the end everything that is left.
pub(crate) async fn publish_refusals(
    intake: Arc<Intake>,
    producer: Arc<Producer>,
    clock: Arc<dyn Clock>,
    lifecycle: Lifecycle,
) -> Result<(), Infallible> {
    loop {
        let into_minute = clock.now().as_millisecond().rem_euclid(60_000);
        // A little into the next one, so that the one before is over on every clock.
        let wait = Duration::from_millis(u64::try_from(60_100 - into_minute).unwrap_or(60_000));
        tokio::select! {
            () = lifecycle.workers_stopping() => break,
            () = tokio::time::sleep(wait) => intake.publish_refusals(Which::Finished).await,
        }
    }
    // Beacons whose clients hung up may still be on their way.
    intake.finish_deliveries().await;
    intake.publish_refusals(Which::All).await;
    let left = intake.refusals().waiting();
    if left > 0 {
        warn!("{left} sums of refused beacons are lost: the log did not take them");
    }
    producer.flush(FLUSH_TIMEOUT).await;
    Ok(())
}
