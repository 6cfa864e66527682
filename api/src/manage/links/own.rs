//! Finding a link that is the caller's, with its page locked against every other change.

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

/// The link of that id: 404 when it is on no page, 403 when the page is another creator's.
pub(super) async fn lock(tx: &mut Tx<'_>, id: Uuid, access: &Access) -> Result<OwnLink, ApiError> {
    let (page_id, creator_id) = store::links::find_place(tx, id)
        .await?
        .ok_or_else(refusals::link_not_found)?;
    let creator = access
        .creator(&mut **tx, creator_id, refusals::not_link_owner)
        .await?;
    // Only now, so that nobody holds up the pages of others.
    store::pages::lock(tx, creator.id, Some(page_id))
        .await?
        .ok_or_else(refusals::link_not_found)?;
    // Another request may have removed it while this one waited.
    let link = store::links::find(tx, id)
        .await?
        .ok_or_else(refusals::link_not_found)?;
    Ok(OwnLink {
        creator,
        page_id,
        link,
    })
}
