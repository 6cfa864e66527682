//! Members that the bodies of several commands share.

use runtime::members::{Id, Member};

/// Description of the page that a request is for.
pub(crate) const PAGE_ABOUT: &str = "The page; defaults to the first one.";

/// Its description in the query, where the body may name the page too.
pub(crate) const PAGE_BESIDE_BODY: &str =
    "The page, if the body names none; defaults to the first one.";

/// The page that a command is for.
pub(crate) const PAGE: Member<Id> = Member::new("bioPageId", Id).about(PAGE_ABOUT);
