//! Workspaces: the commands that create and list a user's.

mod create;
mod members;
mod wire;

use super::links::short_code;
use crate::command::Family;
use runtime::IdSource;

/// The commands of workspaces.
pub(crate) const FAMILY: Family = Family {
    tag: "Workspaces",
    about: "Tenants of the link surface. Every creator has one; other users create theirs.",
    commands: &[create::CREATE_WORKSPACE, create::LIST_WORKSPACES],
};

/// A slug for a workspace whose creator names none.
pub(crate) fn random_slug(ids: &dyn IdSource) -> String {
    format!("w-{}", short_code(ids.random_16()).to_ascii_lowercase())
}
