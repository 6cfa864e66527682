//! `/api/mobile-apps`: the apps of a workspace, in which its links open on phones.
//!
//! The one rule: a change publishes the app's own entry of the directory and no other. Links name an
//! app by its id, and ingest finds the rest in that entry. So the cost of a change does not depend on
//! the number of links.

mod change;
mod edit;
mod members;
mod read;
mod wire;

use crate::command::{Family, Object};

/// An app in a path.
const MOBILE_APP: Object = Object {
    id: "mobileAppId",
    about: "The app.",
};

/// Most apps of a workspace. Its hosts name all of them in one file.
const MAX_APPS: u32 = 100;

/// The commands of apps.
pub(crate) const FAMILY: Family = Family {
    tag: "Mobile apps",
    about: "Apps in which links open on phones. The domains of the workspace name them in \
        `/.well-known/apple-app-site-association` and `/.well-known/assetlinks.json`.",
    commands: &[
        read::LIST_MOBILE_APPS,
        change::CREATE_MOBILE_APP,
        read::GET_MOBILE_APP,
        change::UPDATE_MOBILE_APP,
        change::DELETE_MOBILE_APP,
    ],
};
