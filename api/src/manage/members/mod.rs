//! Members of a workspace: the commands that list, add, change and remove them.
//!
//! The one rule: only owners make and unmake owners, and the last one stays.

mod add;
mod change;
mod errors;
mod list;
mod wire;

use crate::{
    auth::{Role, Tenant},
    command::{Family, Object},
};
use runtime::http::ApiError;

/// A member in a path.
const MEMBER: Object = Object {
    id: "memberId",
    about: "The member.",
};

/// The roles of members.
const ROLES: [&str; 4] = ["owner", "admin", "editor", "viewer"];
const OWNER: &str = "owner";

/// The commands of members.
pub(crate) const FAMILY: Family = Family {
    tag: "Members",
    about: "Users of a workspace. A viewer reads; an editor also changes links and what belongs to them; an admin also members, keys, \
        domains and settings; an owner everything.",
    commands: &[
        list::LIST_MEMBERS,
        add::ADD_MEMBER,
        change::UPDATE_MEMBER,
        change::REMOVE_MEMBER,
    ],
};

/// Refuses callers that are no owner, where one of these roles is that of an owner.
fn check_owner(tenant: &Tenant, roles: &[&str]) -> Result<(), ApiError> {
    if tenant.role < Role::Owner && roles.contains(&OWNER) {
        return Err(errors::only_owners());
    }
    Ok(())
}
