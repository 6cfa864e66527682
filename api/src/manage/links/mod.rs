//! Links of bio pages: the rules for their members, and the commands that change them.
//!
//! `add`, `update`, `delete` and `reorder` use the database, each in one transaction that first
//! locks the page. Everything else here is a function of its input.

mod add;
mod delete;
pub(crate) mod destination;
mod draft;
mod edit;
pub(crate) mod embed;
mod markup;
mod members;
mod own;
mod plain_text;
mod reorder;
mod schedule;
mod short_code;
mod update;
mod wire;

pub(crate) use members::{Line, Moment};
pub(crate) use plain_text::{plain_line, plain_text};
pub(crate) use short_code::short_code;
pub(crate) use wire::WireLink;

use crate::command::Family;

/// The commands of links.
pub(crate) const FAMILY: Family = Family {
    tag: "Links",
    about: "The links of a page.",
    commands: &[
        add::ADD_LINK,
        reorder::REORDER_LINKS,
        update::UPDATE_LINK,
        delete::DELETE_LINK,
    ],
};
