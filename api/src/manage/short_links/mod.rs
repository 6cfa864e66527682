//! Links with short URLs: their codes and members, and the commands that change them.
//!
//! A link of a bio page is such a link too. The one rule: every command writes the link, its audit
//! row and its directory entry in one transaction that has the workspace's row locked.

mod app_links;
mod bulk;
mod counts;
mod create;
mod delete;
mod edit;
mod members;
mod password;
mod read;
mod save;
pub(crate) mod short_code;
mod update;
mod upsert;
mod wire;

pub(crate) use edit::{Edit, texts};
pub(crate) use members::{
    Code, DEEP_LINK_ANDROID, DEEP_LINK_ENABLED, DEEP_LINK_FALLBACK, DEEP_LINK_IOS,
    DEEP_LINK_PACKAGE, Instant, MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS, MAX_UTM_CHARS, is_package,
};
pub(crate) use save::{Checked, Save, commit_links, find_hosts, lock_link, refuse_loop};
pub(crate) use wire::{WireDeepLinks, WireShortLink};

use crate::command::{Family, Object};

/// A link in a path.
pub(crate) const LINK: Object = Object {
    id: "linkId",
    about: "The link.",
};

/// The commands of links.
pub(crate) const FAMILY: Family = Family {
    tag: "Link management",
    about: "Links with short URLs, on the host of the service or on a domain of the workspace.",
    commands: &[
        create::CREATE_SHORT_LINK,
        read::LIST_SHORT_LINKS,
        read::GET_SHORT_LINK,
        update::UPDATE_SHORT_LINK,
        delete::DELETE_SHORT_LINK,
        delete::RESTORE_SHORT_LINK,
        bulk::CREATE_SHORT_LINKS,
        upsert::UPSERT_SHORT_LINK,
    ],
};
