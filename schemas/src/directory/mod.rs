//! Entries of the directory topic: the data of the main database that ingest needs.
//!
//! The topic is compacted by key. Each entry carries its row's version, and readers ignore lower
//! ones, so a late or repeated publication changes nothing. The api publishes in outbox order.

mod campaign;
mod domain;
mod link;

pub use campaign::Campaign;
pub use domain::{App, Domain, Platform};
pub use link::{
    DeepLink, Forward, Link, LinkSettings, Preview, QrCode, RedirectMode, RedirectStatus, Rule,
    Test,
};

use crate::ids::{PageId, WorkspaceId, WorkspaceNo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One entry of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A tenant.
    Workspace(Workspace),
    /// A bio page.
    Page(Page),
    /// A link.
    Link(Box<Link>),
    /// A campaign, whose rules apply to its links.
    Campaign(Campaign),
    /// A host of short URLs.
    Domain(Domain),
    /// A mobile app that opens links.
    App(App),
    /// The log's own name, written once when its topics are made.
    Log(Log),
    /// Fingerprints of the secrets that ids and hashes of this log were made with.
    Secrets(SecretFingerprints),
}

/// A tenant. A deleted one stays as an entry: it ends the tenant's links and hosts, whose own entries
/// do not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// The number in its ids and tables.
    pub workspace_no: WorkspaceNo,
    /// Its id on the wire.
    pub workspace_id: WorkspaceId,
    /// True after its deletion; absent in older entries, and in those of other workspaces.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
    /// Version of the row.
    pub row_version: i64,
}

/// A bio page. Ingest has it even if it is not published, because rendered pages count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// The page.
    pub page_id: PageId,
    /// Its tenant.
    pub workspace_no: WorkspaceNo,
    /// Its tenant's id on the wire.
    pub workspace_id: WorkspaceId,
    /// Version of the row.
    pub row_version: i64,
}

/// The name of one log, from the creation of its topics to their end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// Made at random when the topics were made.
    pub log_id: Uuid,
    /// Partitions of the events topic, fixed for the log's life.
    pub events_partitions: i32,
}

/// Fingerprints of secrets, see [`crate::Keyring::fingerprints`]; newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretFingerprints {
    /// Of `TRACKING_HMAC_SECRET`.
    pub tracking: Vec<String>,
    /// Of `ID_SECRET`.
    pub id: Vec<String>,
    /// Of `VISITOR_HASH_SECRET`.
    pub visitor: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Entry {
    /// The record's key. A later entry with the same key replaces the earlier one.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Workspace(entry) => format!("workspace:{}", entry.workspace_no),
            Self::Page(entry) => format!("page:{}", entry.page_id),
            Self::Link(entry) => format!("link:{}", entry.link_id),
            Self::Campaign(entry) => format!("campaign:{}", entry.campaign_id),
            Self::Domain(entry) => format!("domain:{}", entry.host),
            Self::App(entry) => format!("app:{}", entry.app_id),
            Self::Log(_) => "log".to_owned(),
            Self::Secrets(_) => "secrets".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_workspace_that_is_not_deleted_is_written_as_before() {
        let mut written = json!({
            "kind": "workspace",
            "workspace_no": 7,
            "workspace_id": "018f2d5a-7b3c-7def-8a1b-2c3d4e5f6071",
            "row_version": 1,
        });
        let deleted = |written: &serde_json::Value| {
            let entry: Entry = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(&serde_json::to_value(&entry).unwrap(), written);
            matches!(entry, Entry::Workspace(Workspace { deleted: true, .. }))
        };
        assert!(!deleted(&written));
        written["deleted"] = json!(true);
        assert!(deleted(&written));
    }
}
