//! Hosts of short URLs: the commands that list, add, prove, prefer and remove them.
//!
//! The host of `PUBLIC_URL` serves every workspace. It has no row, and can be neither added nor
//! removed. The one rule: a host serves nothing before its proof, and the newest proof wins.

mod add;
mod change;
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
    refusals,
    store::{self, Tx, domains::Domain},
};
use runtime::http::ApiError;

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

/// A host of the caller's workspace.
async fn find(app: &App, access: &Access, id: ObjectId) -> Result<Domain, ApiError> {
    let id = id.get(refusals::domain_not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let found = store::domains::find(app.main.pool()?, id, workspace_id).await?;
    found.ok_or_else(refusals::domain_not_found)
}

/// The same host, while no other request changes it in any workspace.
async fn lock(tx: &mut Tx<'_>, domain: &Domain) -> Result<Domain, ApiError> {
    // The workspace first: all its defaults change together.
    store::workspaces::lock(tx, domain.workspace_id).await?;
    store::domains::lock_host(tx, &domain.host).await?;
    // Another request may have removed it while this one waited.
    let found = store::domains::find(&mut **tx, domain.id, domain.workspace_id).await?;
    found.ok_or_else(refusals::domain_not_found)
}
