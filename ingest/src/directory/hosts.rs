//! Campaigns, domains and mobile apps in memory.
//!
//! The one rule: a host serves links of its own tenant only, and only once it is verified. The host
//! of `PUBLIC_URL` serves every tenant.

use super::settings::{self, RuleOf};
use schemas::{
    AppId, CampaignId, WorkspaceNo,
    directory::{App, Campaign, Domain},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The rules that the links of a campaign share.
pub type SharedRules = Arc<[RuleOf]>;

/// Entries of campaigns, domains and apps. Deleted ones stay with their version.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    campaigns: HashMap<CampaignId, (i64, WorkspaceNo, SharedRules)>,
    domains: HashMap<Box<str>, (i64, Option<WorkspaceNo>)>,
    apps: HashMap<AppId, (i64, WorkspaceNo)>,
    /// The apps that are not deleted, by tenant.
    present: BTreeMap<(WorkspaceNo, AppId), App>,
}

impl Hosts {
    pub(super) fn apply_campaign(&mut self, campaign: &Campaign) {
        let id = campaign.campaign_id;
        let known = self.campaigns.get(&id);
        if campaign.workspace_no == WorkspaceNo::NONE
            || known.is_some_and(|(version, ..)| *version > campaign.row_version)
        {
            return;
        }
        let rules: SharedRules = if campaign.deleted {
            Arc::default()
        } else {
            settings::compiled(&campaign.rules, &format_args!("campaign {id}")).into()
        };
        let entry = (campaign.row_version, campaign.workspace_no, rules);
        self.campaigns.insert(id, entry);
    }

    pub(super) fn apply_domain(&mut self, domain: &Domain) {
        let known = self.domains.get(domain.host.as_str());
        if domain.workspace_no == WorkspaceNo::NONE
            || known.is_some_and(|(version, _)| *version > domain.row_version)
        {
            return;
        }
        let serves = domain.verified && !domain.deleted;
        let entry = (domain.row_version, serves.then_some(domain.workspace_no));
        self.domains.insert(domain.host.as_str().into(), entry);
    }

    pub(super) fn apply_app(&mut self, app: &App) {
        let known = self.apps.get(&app.app_id).copied();
        if app.workspace_no == WorkspaceNo::NONE
            || known.is_some_and(|(version, _)| version > app.row_version)
        {
            return;
        }
        if let Some((_, before)) = known {
            self.present.remove(&(before, app.app_id));
        }
        let entry = (app.row_version, app.workspace_no);
        self.apps.insert(app.app_id, entry);
        if !app.deleted {
            let key = (app.workspace_no, app.app_id);
            self.present.insert(key, app.clone());
        }
    }

    /// The tenant that this host serves; `None` when it serves none.
    pub(super) fn tenant_of(&self, host: &str) -> Option<WorkspaceNo> {
        self.domains.get(host)?.1
    }

    /// The rules of a campaign of this tenant.
    pub(super) fn rules_of(
        &self,
        campaign_id: CampaignId,
        tenant: WorkspaceNo,
    ) -> Option<&SharedRules> {
        let (_, owner, rules) = self.campaigns.get(&campaign_id)?;
        (*owner == tenant).then_some(rules)
    }

    /// An app of this tenant.
    pub(super) fn app(&self, tenant: WorkspaceNo, app_id: AppId) -> Option<&App> {
        self.present.get(&(tenant, app_id))
    }

    /// The apps of a tenant.
    pub(super) fn apps_of(&self, tenant: WorkspaceNo) -> impl Iterator<Item = &App> {
        let last = AppId(uuid::Uuid::max());
        let first = AppId(uuid::Uuid::nil());
        let found = self.present.range((tenant, first)..=(tenant, last));
        found.map(|(_, app)| app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(workspace_no: u32, verified: bool, deleted: bool, row_version: i64) -> Domain {
        Domain {
            host: "go.example".to_owned(),
            workspace_no: WorkspaceNo(workspace_no),
            verified,
            deleted,
            row_version,
        }
    }

    #[test]
    fn a_host_serves_its_tenant_once_it_is_verified_and_until_it_is_removed() {
        let mut hosts = Hosts::default();
        let tenant = |hosts: &Hosts| hosts.tenant_of("go.example").map(|tenant| tenant.0);
        for (entry, expected) in [
            (domain(7, false, false, 1), None),
            (domain(7, true, false, 2), Some(7)),
            // An older entry that arrives late changes nothing.
            (domain(8, true, false, 1), Some(7)),
            (domain(7, true, true, 3), None),
            // Another tenant adds the host, and proves it later.
            (domain(8, false, false, 4), None),
            (domain(8, true, false, 5), Some(8)),
        ] {
            hosts.apply_domain(&entry);
            assert_eq!(tenant(&hosts), expected, "{entry:?}");
        }
        assert_eq!(hosts.tenant_of("s.example"), None);
    }
}
