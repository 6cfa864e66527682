//! Creators and their pages: the commands that create, read and change them.

mod members;
mod pages;
mod provision;
mod reserved;
mod settings;
mod username;
mod wire;

pub(crate) use members::Slug;

use crate::command::Family;

/// The commands of creators and their pages.
pub(crate) const FAMILY: Family = Family {
    tag: "Creators and pages",
    about: "The token's user as a creator, with one or more bio pages.",
    commands: &[
        provision::CREATE_CREATOR,
        provision::GET_CREATOR,
        pages::GET_PAGE,
        pages::ADD_PAGE,
        settings::UPDATE_PAGE,
    ],
};
