//! Finds a link of the caller, and locks its page against other changes.

use crate::{
    auth::Access,
    refusals,
    store::{self, Tx, creators::Creator, links::BioLink},
};
use runtime::http::ApiError;
use uuid::Uuid;

/// A link of the caller.
#[derive(Clone, Debug)]
pub(super) struct OwnLink {
    pub(super) creator: Creator,
    /// Its page, whose row is locked until the transaction ends.
    pub(super) page_id: Uuid,
    pub(super) link: BioLink,
}

/// The link with that id: 404 when it is not on a page, 403 when the page is another creator's.
pub(super) async fn lock(tx: &mut Tx<'_>, id: Uuid, access: &Access) -> Result<OwnLink, ApiError> {
    let (page_id, creator_id) = store::links::find_place(tx, id)
        .await?
        .ok_or_else(refusals::link_not_found)?;
    let creator = access
        .creator(&mut **tx, creator_id, refusals::not_link_owner)
        .await?;
    // Only after the check of the owner, so that a caller cannot block other creators' pages.
    store::pages::lock(tx, creator.id, Some(page_id))
        .await?
        .ok_or_else(refusals::link_not_found)?;
    // Another request may have removed the link while this one waited for the lock.
    let link = store::links::find(tx, id)
        .await?
        .ok_or_else(refusals::link_not_found)?;
    Ok(OwnLink {
        creator,
        page_id,
        link,
    })
}
