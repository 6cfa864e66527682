//! Publishes everything again, to a log that lacks it.

use super::{
    PublishError,
    send::{BATCH, Outgoing, send},
};
use crate::store::{
    Tx, counted_clicks,
    directory::{self, Entries},
    outbox::{self, PublishedLog},
};
use futures::{StreamExt, TryStreamExt};
use runtime::Producer;
use sqlx::{Connection, PgConnection};
use tracing::info;
use uuid::Uuid;

// One snapshot of all tables and of the outbox. The tables already include the waiting changes, so
// these are removed instead of being published after their newer state.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

/// Publishes every workspace, page, campaign, app, link and host with its row version, and stores the
/// log's position.
pub(super) async fn republish(
    connection: &mut PgConnection,
    producer: &Producer,
    log_id: Uuid,
) -> Result<PublishedLog, PublishError> {
    let mut tx = connection.begin_with(BEGIN).await?;
    let mut log = PublishedLog {
        log_id,
        next_offset: 0,
        last_payload: None,
    };
    let mut count = 0;
    count += append(producer, directory::read_workspaces(&mut tx), &mut log).await?;
    count += append(producer, directory::read_pages(&mut tx), &mut log).await?;
    count += append(producer, directory::read_campaigns(&mut tx), &mut log).await?;
    // Before the links, which name them.
    count += append(producer, directory::read_apps(&mut tx), &mut log).await?;
    count += append(producer, directory::read_links(&mut tx), &mut log).await?;
    count += append(producer, directory::read_domains(&mut tx), &mut log).await?;
    finish(tx, &log).await?;
    info!("published all {count} entries of the directory to log {log_id}");
    Ok(log)
}

async fn append(
    producer: &Producer,
    entries: Entries<'_>,
    log: &mut PublishedLog,
) -> Result<usize, PublishError> {
    let mut count = 0;
    let mut batches = entries.try_chunks(BATCH);
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| error.1)?;
        let outgoing: Vec<Outgoing> = batch
            .iter()
            .map(Outgoing::try_from)
            .collect::<Result<_, _>>()?;
        if let Some(sent) = send(producer, &outgoing).await? {
            log.next_offset = sent.next;
            // The newest record, which proves later that this log still has all of them.
            log.last_payload = outgoing.into_iter().next_back().map(|last| last.payload);
        }
        count += batch.len();
    }
    Ok(count)
}

async fn finish(mut tx: Tx<'_>, log: &PublishedLog) -> Result<(), PublishError> {
    outbox::delete_all(&mut tx).await?;
    // The places of another log say nothing about this one.
    counted_clicks::start_over(&mut tx).await?;
    outbox::write_log(&mut tx, log).await?;
    tx.commit().await?;
    Ok(())
}
