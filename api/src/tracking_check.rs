//! Checks that `TRACKING_HMAC_SECRET` and `ID_SECRET` are ones that ingest knows.
//!
//! With another first secret, pages would look the same, and ingest would refuse every visit. With
//! another second one, every conversion would name an unknown click.

use runtime::{Lifecycle, kafka::KafkaSettings, topics};
use schemas::Keyring;
use std::time::Duration;
use thiserror::Error;
use tracing::debug;

/// Interval of the checks until ingest has stored its fingerprints.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The log belongs to another secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0} does not match this log: give api the secret of ingest (a rotation is `<new>,<old>` for both); \
     to move ingest to a new secret, start ingest first"
)]
pub(crate) struct Stranger(&'static str);

/// The secrets that api shares with ingest.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// `TRACKING_HMAC_SECRET`
    pub(crate) tracking: Keyring,
    /// `ID_SECRET`
    pub(crate) id: Keyring,
}

/// Waits for the fingerprints that ingest stores in the log, and compares them. For an api that
/// does not share its settings with an ingest.
///
/// # Errors
/// [`Stranger`] when the two have no secret in common.
pub(crate) async fn check(
    kafka: KafkaSettings,
    ours: Shared,
    lifecycle: Lifecycle,
) -> Result<(), Stranger> {
    loop {
        match topics::read_secrets(&kafka).await {
            Ok(Some(theirs)) => {
                compare("TRACKING_HMAC_SECRET", &theirs.tracking, &ours.tracking)?;
                return compare("ID_SECRET", &theirs.id, &ours.id);
            }
            Ok(None) => {
                debug!("no ingest has kept the fingerprints of its secrets in this log yet");
            }
            Err(error) => debug!("the fingerprints of secrets cannot be read: {error}"),
        }
        tokio::select! {
            // The check may never end if no ingest starts, so it must not delay a stop.
            () = lifecycle.workers_stopping() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// One common secret is enough, because a rotation begins that way.
fn compare(name: &'static str, theirs: &[String], ours: &Keyring) -> Result<(), Stranger> {
    let ours = ours.fingerprints();
    if theirs.iter().any(|one| ours.contains(one)) {
        Ok(())
    } else {
        Err(Stranger(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_shares_a_secret_and_a_stranger_does_not() {
        let ring = |text: &str| Keyring::parse(text).unwrap();
        let (old, new) = ("old-secret".repeat(4), "new-secret".repeat(4));
        let (before, between, after) = (ring(&old), ring(&format!("{new},{old}")), ring(&new));
        for (theirs, ours) in [(&before, &between), (&between, &after), (&between, &before)] {
            assert_eq!(compare("ID_SECRET", &theirs.fingerprints(), ours), Ok(()));
        }
        let compared = compare("ID_SECRET", &before.fingerprints(), &after);
        assert_eq!(compared, Err(Stranger("ID_SECRET")));
    }
}
