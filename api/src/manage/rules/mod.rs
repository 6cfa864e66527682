//! `/api/rules`: rules of links and of campaigns, which send some visitors elsewhere.
//!
//! The one rule: a change raises the version of the link or campaign that has the rule, and
//! publishes its entry with all its rules.

mod change;
mod edit;
mod read;
mod wire;

use crate::command::{Family, Object};

/// A rule in a path.
const RULE: Object = Object {
    id: "ruleId",
    about: "The rule.",
};

/// Most rules of a link or campaign in a plan without a limit.
const MAX_RULES: u32 = 200;

/// The commands of rules.
pub(crate) const FAMILY: Family = Family {
    tag: "Rules",
    about: "Conditions under which visitors go elsewhere. The rules of a link come before those of its campaign; each are asked in the order \
        of their priority, the lowest number first, and the first one that matches decides.",
    commands: &[
        change::CREATE_RULE,
        read::LIST_RULES,
        read::GET_RULE,
        change::UPDATE_RULE,
        change::DELETE_RULE,
    ],
};
