//! Members that the bodies of several commands have.

use runtime::members::{Id, Member};

/// What a request says about the page it is for.
pub(crate) const PAGE_ABOUT: &str = "The page; the first one where none is given.";

/// What the query says about it where the body may as well.
pub(crate) const PAGE_BESIDE_BODY: &str =
    "The page, where the body names none; the first one where neither does.";

/// The page that a command is for.
pub(crate) const PAGE: Member<Id> = Member::new("bioPageId", Id).about(PAGE_ABOUT);
