//! Hosts of short URLs: the commands that list, add, prove, prefer and remove them.
//!
//! The host of `PUBLIC_URL` serves every workspace. It has no row, and can be neither added nor
//! removed. The one rule: a host serves nothing before its proof, and the newest proof wins.

mod add;
mod change;
mod errors;
mod host;
mod list;
mod verify;
mod wire;

pub(crate) use host::of_public_url;

use crate::{
    app::App,
    auth::Access,
    command::{Family, Object},
    extract::ObjectId,
    manage::{asked::Asked, managed::Managed, work::Work},
    store::{self, domains::Domain},
};
use runtime::http::ApiError;
use wire::WireDomain;

/// A host in a path.
const DOMAIN: Object = Object {
    id: "domainId",
    about: "The domain.",
};

/// The commands of hosts.
pub(crate) const FAMILY: Family = Family {
    tag: "Domains",
    about: "Hosts of short URLs. A host serves links once a TXT record proves that it belongs to the workspace.",
    commands: &[
        list::LIST_DOMAINS,
        add::ADD_DOMAIN,
        list::GET_DOMAIN,
        verify::VERIFY_DOMAIN,
        change::UPDATE_DOMAIN,
        change::REMOVE_DOMAIN,
    ],
};

impl Managed for Domain {
    type Wire = WireDomain;
    const NOT_FOUND: fn() -> ApiError = errors::not_found;

    fn filter(_: &mut Asked<'_>) {}
}

/// Begins a change of a host that a path names, while no other request changes it in any workspace.
async fn begin<'a>(
    app: &App,
    access: &'a Access,
    id: ObjectId,
) -> Result<(Work<'a>, Domain), ApiError> {
    let (mut work, domain) = Work::on::<Domain>(app, access, id).await?;
    store::domains::lock_host(&mut work.tx, &domain.host).await?;
    // Another workspace may have proven the host while this request waited.
    let found = store::find(&mut *work.tx, domain.id, domain.workspace_id).await?;
    Ok((work, found.ok_or_else(errors::not_found)?))
}
