//! Sets the gauges of each partition's lag, and of sessions with events that do not count.
//!
//! Runs beside the folding, so a slow broker or database delays no partition.

use super::shared::Shared;
use runtime::kafka::{blocking, same_log::LogReader};
use schemas::topics::EVENTS;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tracing::debug;

/// Timeout for reading the end of one partition.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Time between two rounds.
const EVERY: Duration = Duration::from_secs(10);

/// Sets the gauges regularly, and at once after a change of ownership.
pub(super) async fn watch(shared: Arc<Shared>, probe: LogReader) {
    let probe = Arc::new(probe);
    // The last known offsets. While the database does not answer, the lag grows from them.
    let mut progress = BTreeMap::new();
    loop {
        match shared.store.progress(EVENTS).await {
            Ok(read) => progress = read.into_iter().collect(),
            Err(error) => debug!("the progress of the tables could not be read: {error}"),
        }
        for partition in shared.standings.ours() {
            let probe = Arc::clone(&probe);
            let end = blocking(move || probe.watermarks(EVENTS, partition, TIMEOUT)).await;
            if let Ok((first, end)) = end {
                let next = progress.get(&partition).copied().unwrap_or(0).max(first);
                shared.standings.note_lag(partition, end - next);
            }
        }
        if let Ok(waiting) = shared.store.count_waiting().await {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!("projector_waiting_sessions").set(waiting as f64);
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shared.ownership_changed.notified() => {}
        }
    }
}
