//! Campaigns as ingest knows them: the rules that their links share.

use super::Rule;
use crate::ids::{CampaignId, WorkspaceNo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A campaign. A deleted one stays as an entry, so that a later version is not mistaken for the
/// first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Campaign {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Its tenant.
    pub workspace_no: WorkspaceNo,
    /// Its enabled rules, in the order of their evaluation. They come after those of a link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// True after its deletion.
    pub deleted: bool,
    /// Version of the row.
    pub row_version: i64,
}
