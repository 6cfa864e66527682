//! `/api/campaigns`: groups of links that share rules, costs and budgets.
//!
//! The one rule: a change of a campaign publishes the campaign's entry, never those of its links. So
//! a campaign of a million links changes in one row.

mod change;
mod edit;
mod read;
mod wire;

use crate::command::{Family, Object};

/// A campaign in a path.
const CAMPAIGN: Object = Object {
    id: "campaignId",
    about: "The campaign.",
};

/// Most campaigns of a workspace.
const MAX_CAMPAIGNS: u32 = 10_000;

/// The commands of campaigns.
pub(crate) const FAMILY: Family = Family {
    tag: "Campaigns",
    about: "Groups of links. A link belongs to at most one campaign, whose rules come after its own.",
    commands: &[
        change::CREATE_CAMPAIGN,
        read::LIST_CAMPAIGNS,
        read::GET_CAMPAIGN,
        change::UPDATE_CAMPAIGN,
        change::DELETE_CAMPAIGN,
        change::RESTORE_CAMPAIGN,
    ],
};
