//! Writes the traces of a change of a page or its links, in the change's transaction.
//!
//! The traces are the page's versions, an audit row and a directory entry.
//!
//! The one rule: the page's row is locked before anything of the page changes.

use super::{Tx, audit, creators::Creator, directory, outbox, pages};
use crate::refusals;
use jiff::Timestamp;
use runtime::http::ApiError;
use schemas::directory::Entry;
use uuid::Uuid;

/// Largest entry of the directory. A topic takes records of 1 MB.
const MAX_ENTRY_BYTES: usize = 512 * 1024;

/// Records a change of a link on that page; the audit row names the link.
pub(crate) async fn link_change(
    tx: &mut Tx<'_>,
    page_id: Uuid,
    audit: audit::Entry<'_>,
) -> sqlx::Result<()> {
    pages::raise_content_version(tx, page_id).await?;
    let entries = directory::find_links(tx, &[audit.subject]).await?;
    finish(tx, audit, &entries).await
}

/// Records a change of a page itself: of its settings, or of the order of its links.
pub(crate) async fn page_change(
    tx: &mut Tx<'_>,
    (page_id, creator): (Uuid, &Creator),
    audit: audit::Entry<'_>,
) -> sqlx::Result<()> {
    let row_version = pages::raise_versions(tx, page_id).await?;
    let entry = pages::directory_entry(page_id, row_version, creator);
    finish(tx, audit, &[entry]).await
}

async fn finish(tx: &mut Tx<'_>, audit: audit::Entry<'_>, entries: &[Entry]) -> sqlx::Result<()> {
    let at = audit.at;
    audit::insert(tx, audit).await?;
    outbox::insert(tx, entries, at).await
}

/// Writes directory entries, unless one is too large for a record of the log.
pub(crate) async fn publish(
    tx: &mut Tx<'_>,
    entries: &[Entry],
    now: Timestamp,
) -> Result<(), ApiError> {
    for entry in entries {
        let bytes = serde_json::to_vec(entry).map_err(ApiError::internal)?;
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(refusals::rules_too_large());
        }
    }
    outbox::insert(tx, entries, now).await?;
    Ok(())
}
