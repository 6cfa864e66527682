//! API keys of a workspace: the commands that make, list, rotate and revoke them.
//!
//! The one rule: the secret of a key is in the answer that makes it, and nowhere else.

mod create;
mod list;
mod members;
mod revoke;
mod rotate;
mod secret;
mod wire;

use crate::command::{Family, Object};

/// An API key in a path.
const KEY: Object = Object {
    id: "keyId",
    about: "The API key.",
};

/// The commands of API keys.
pub(crate) const FAMILY: Family = Family {
    tag: "API keys",
    about: "Keys with which programs call the routes of a workspace. A key does what its scopes say, and no more than the member \
        who made it may do.",
    commands: &[
        create::CREATE_KEY,
        list::LIST_KEYS,
        list::GET_KEY,
        rotate::ROTATE_KEY,
        revoke::REVOKE_KEY,
    ],
};
