//! Writes the traces of a change of a page or its links, in the change's transaction.
//!
//! The traces are the page's versions, an audit row and a directory entry.
//!
//! The one rule: the page's row is locked before anything of the page changes.

use super::{Tx, audit, creators::Creator, outbox, pages};
use schemas::directory;
use uuid::Uuid;

/// Records a change of a link on that page.
pub(crate) async fn link_change(
    tx: &mut Tx<'_>,
    page_id: Uuid,
    audit: audit::Entry<'_>,
    entry: directory::Entry,
) -> sqlx::Result<()> {
    pages::raise_content_version(tx, page_id).await?;
    finish(tx, audit, entry).await
}

/// Records a change of a page itself: of its settings, or of the order of its links.
pub(crate) async fn page_change(
    tx: &mut Tx<'_>,
    (page_id, creator): (Uuid, &Creator),
    audit: audit::Entry<'_>,
) -> sqlx::Result<()> {
    let row_version = pages::raise_versions(tx, page_id).await?;
    let entry = pages::directory_entry(page_id, row_version, creator);
    finish(tx, audit, entry).await
}

async fn finish(
    tx: &mut Tx<'_>,
    audit: audit::Entry<'_>,
    entry: directory::Entry,
) -> sqlx::Result<()> {
    let at = audit.at;
    audit::insert(tx, audit).await?;
    outbox::insert(tx, &[entry], at).await
}
