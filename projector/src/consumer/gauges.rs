//! Gauges that change without a record: each partition's lag, and the number of sessions with events that do not count.
//!
//! Measured beside the folding, so that a slow broker or database delays no partition.

use super::worker::Shared;
use runtime::kafka::{blocking, same_log::LogReader};
use schemas::topics::EVENTS;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tracing::debug;

/// How long a look at one partition's end may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Time between two looks.
const EVERY: Duration = Duration::from_secs(10);

/// Sets the gauges again and again, at once after partitions have come or gone.
pub(super) async fn watch(shared: Arc<Shared>, probe: LogReader) {
    let probe = Arc::new(probe);
    // Where the table said the partitions stand; while it does not answer, the lag grows from there.
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
