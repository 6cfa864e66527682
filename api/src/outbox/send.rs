//! Sends entries to the log in order, and waits until they are acknowledged.

use super::PublishError;
use runtime::{Producer, producer::Record};
use schemas::{directory::Entry, topics::DIRECTORY};

/// Most records of one batch: a few hundred kilobytes.
pub(super) const BATCH: usize = 500;

/// A record of the directory.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) key: String,
    pub(super) payload: Vec<u8>,
}

impl TryFrom<&Entry> for Outgoing {
    type Error = serde_json::Error;

    fn try_from(entry: &Entry) -> Result<Self, Self::Error> {
        let payload = serde_json::to_vec(entry)?;
        Ok(Self {
            key: entry.key(),
            payload,
        })
    }
}

/// The position of a batch in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// Offset of the first record.
    pub(super) first: i64,
    /// Offset after the last record.
    pub(super) next: i64,
}

/// Appends records and waits until all are acknowledged; `None` for an empty batch.
pub(super) async fn send(
    producer: &Producer,
    outgoing: &[Outgoing],
) -> Result<Option<Sent>, PublishError> {
    let records: Vec<Record<'_>> = outgoing
        .iter()
        .map(|entry| Record {
            topic: DIRECTORY,
            key: &entry.key,
            payload: &entry.payload,
            headers: &[],
        })
        .collect();
    let mut sent: Option<Sent> = None;
    for outcome in producer.send(&records).await {
        let offset = outcome?.offset;
        let next = offset.saturating_add(1);
        let so_far = sent.unwrap_or(Sent {
            first: offset,
            next,
        });
        sent = Some(Sent {
            first: so_far.first.min(offset),
            next: so_far.next.max(next),
        });
    }
    let count = u64::try_from(records.len()).unwrap_or_default();
    metrics::counter!("api_outbox_published_total").increment(count);
    Ok(sent)
}
