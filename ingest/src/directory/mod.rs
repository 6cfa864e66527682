//! The directory in memory: which workspace each page belongs to, the id of each workspace number,
//! and the short links.
//!
//! Owns the maps and the waiting for changes. [`feed`] reads the entries, and [`fingerprints`]
//! handles the fingerprints of secrets beside them. The one rule: for each key, the higher row
//! version wins.
//!
//! A deleted workspace is one entry. Its links and hosts keep theirs, so every look-up of these asks
//! for the workspace too, and it does not matter which entry arrives first.

pub mod feed;
pub mod fingerprints;
mod hosts;
mod links;
mod settings;

pub use hosts::SharedRules;
pub use links::ShortLink;
pub use settings::{RuleOf, Settings, scheme};

use crate::accept::KnownPage;
use hosts::Hosts;
use links::ShortLinks;
use schemas::{
    LinkId, PageId, WorkspaceId, WorkspaceNo,
    directory::{App, DeepLink, Entry, Page, SecretFingerprints, Workspace},
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};
use tokio::sync::watch;

/// A workspace, by its number and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its number in ids and tables.
    pub workspace_no: WorkspaceNo,
    /// Its id on the wire.
    pub workspace_id: WorkspaceId,
}

/// A workspace as its entry says, or one of its pages.
#[derive(Clone, Copy, Debug)]
struct KnownWorkspace {
    workspace_id: WorkspaceId,
    deleted: bool,
    row_version: i64,
}

/// The entries read from the directory topic.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    pages: HashMap<PageId, (Tenant, i64)>,
    workspaces: HashMap<WorkspaceNo, KnownWorkspace>,
    links: ShortLinks,
    hosts: Hosts,
    secrets: Option<SecretFingerprints>,
}

impl Entries {
    /// Applies an entry. An entry with a lower version than the known one changes nothing.
    pub fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Page(page) => self.apply_page(&page),
            Entry::Workspace(workspace) => self.apply_workspace(&workspace),
            Entry::Secrets(secrets) => self.secrets = Some(secrets),
            Entry::Link(link) => self.links.apply(&link),
            Entry::Campaign(campaign) => self.hosts.apply_campaign(&campaign),
            Entry::Domain(domain) => self.hosts.apply_domain(&domain),
            Entry::App(app) => self.hosts.apply_app(&app),
            // `runtime::topics` handles the log's name.
            Entry::Log(_) => {}
        }
    }

    fn apply_page(&mut self, page: &Page) {
        // Number 0 marks visits without a page. An entry with it must not make those a tenant's.
        if page.workspace_no == WorkspaceNo::NONE {
            return;
        }
        let tenant = Tenant {
            workspace_no: page.workspace_no,
            workspace_id: page.workspace_id,
        };
        let known = self.pages.get(&page.page_id);
        if known.is_none_or(|(_, version)| *version <= page.row_version) {
            self.pages.insert(page.page_id, (tenant, page.row_version));
        }
        // A page also names its workspace. The workspace's own entry takes precedence, in any
        // order.
        self.workspaces
            .entry(page.workspace_no)
            .or_insert(KnownWorkspace {
                workspace_id: page.workspace_id,
                deleted: false,
                row_version: i64::MIN,
            });
    }

    fn apply_workspace(&mut self, workspace: &Workspace) {
        if workspace.workspace_no == WorkspaceNo::NONE {
            return;
        }
        let known = self.workspaces.get(&workspace.workspace_no);
        if known.is_none_or(|known| known.row_version <= workspace.row_version) {
            let entry = KnownWorkspace {
                workspace_id: workspace.workspace_id,
                deleted: workspace.deleted,
                row_version: workspace.row_version,
            };
            self.workspaces.insert(workspace.workspace_no, entry);
        }
    }
}

/// The directory, shared by all requests.
#[derive(Debug)]
pub struct Directory {
    entries: RwLock<Entries>,
    changes: watch::Sender<()>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            changes: watch::Sender::new(()),
        }
    }
}

/// A short link with the id of its tenant.
#[derive(Clone, Debug)]
pub struct Found {
    /// The link.
    pub link: Arc<ShortLink>,
    /// Its tenant's id on the wire.
    pub workspace_id: WorkspaceId,
    /// The rules of its campaign, which come after its own.
    pub campaign_rules: Option<SharedRules>,
    /// Where apps open it, when apps of the tenant are among them.
    in_apps: Option<Box<[DeepLink]>>,
}

impl Found {
    /// Where apps open the link. The first of a platform applies.
    #[must_use]
    pub fn deep_links(&self) -> &[DeepLink] {
        match (&self.in_apps, &self.link.settings) {
            (Some(links), _) => links,
            (None, Some(settings)) => &settings.given.deep_links,
            (None, None) => &[],
        }
    }
}

/// Whose links a host serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Every tenant's: it is the host of `PUBLIC_URL`.
    Everyone,
    /// One tenant's.
    Tenant(WorkspaceNo),
}

impl Serves {
    fn includes(self, tenant: WorkspaceNo) -> bool {
        match self {
            Self::Everyone => true,
            Self::Tenant(own) => own == tenant,
        }
    }
}

impl Entries {
    /// Whose links this host serves, and under which host they are kept. `www.` answers for its
    /// apex.
    fn serves<'a>(&self, host: &'a str) -> Option<(&'a str, Serves)> {
        let apex = host.strip_prefix("www.");
        [Some(host), apex].into_iter().flatten().find_map(|host| {
            if self.links.own_host() == Some(host) {
                return Some((host, Serves::Everyone));
            }
            let tenant = self.hosts.tenant_of(host)?;
            (!self.is_deleted(tenant)).then_some((host, Serves::Tenant(tenant)))
        })
    }

    /// Whether the workspace with this number is deleted. One that is not known yet is not.
    fn is_deleted(&self, tenant: WorkspaceNo) -> bool {
        let known = self.workspaces.get(&tenant);
        known.is_some_and(|known| known.deleted)
    }

    /// A link with its tenant and the rules of its campaign; `None` when the tenant is deleted.
    fn found(&self, link: &Arc<ShortLink>) -> Option<Found> {
        // Entries of links follow those of their workspace.
        let workspace = self.workspaces.get(&link.workspace_no);
        let workspace = workspace.filter(|known| !known.deleted)?;
        let campaign = link.settings.as_ref();
        let campaign = campaign.and_then(|settings| settings.given.campaign_id);
        let rules = campaign.and_then(|id| self.hosts.rules_of(id, link.workspace_no));
        Some(Found {
            link: Arc::clone(link),
            workspace_id: workspace.workspace_id,
            campaign_rules: rules.cloned(),
            in_apps: self.in_apps(link),
        })
    }

    /// Where apps open a link that names apps of its tenant, with what the entries of these apps
    /// say. `None` for other links, which need no copy.
    fn in_apps(&self, link: &ShortLink) -> Option<Box<[DeepLink]>> {
        let given = &link.settings.as_ref()?.given.deep_links;
        if given.iter().all(|link| link.app_id.is_none()) {
            return None;
        }
        let complete = |one: &DeepLink| match one.app_id {
            None => Some(one.clone()),
            Some(id) => settings::in_app(one, self.hosts.app(link.workspace_no, id)?),
        };
        Some(given.iter().filter_map(complete).collect())
    }
}

impl Directory {
    /// An empty directory that serves short links on this host, which is normalised.
    #[must_use]
    pub fn serving(own_host: &str) -> Self {
        let directory = Self::default();
        directory.change(|entries| entries.links = ShortLinks::of_host(Some(own_host.into())));
        directory
    }

    /// Entries to be read for this directory.
    #[must_use]
    pub fn emptied(&self) -> Entries {
        Entries {
            links: self.read().links.emptied(),
            ..Entries::default()
        }
    }

    /// The first of these codes that is a link on this host, which is normalised.
    #[must_use]
    pub fn short_link<'a>(
        &self,
        host: &str,
        codes: impl IntoIterator<Item = &'a str>,
    ) -> Option<Found> {
        let entries = self.read();
        let (host, serves) = entries.serves(host)?;
        // The links of a deleted workspace hide none of others, like deleted links.
        let of = |tenant| serves.includes(tenant) && !entries.is_deleted(tenant);
        let mut codes = codes.into_iter();
        let link = codes.find_map(|code| entries.links.find(host, code, of))?;
        entries.found(link)
    }

    /// A link by its id, and the host of its short URL.
    #[must_use]
    pub fn link(&self, id: LinkId) -> Option<(Found, String)> {
        let entries = self.read();
        let (host, link) = entries.links.by_id(id)?;
        Some((entries.found(link)?, host.to_string()))
    }

    /// A link by its code, on this host or on the host of `PUBLIC_URL`, and the host.
    #[must_use]
    pub fn link_of(&self, host: Option<&str>, code: &str) -> Option<(Found, String)> {
        let own = self.read().links.own_host().map(str::to_owned);
        let host = host.map(str::to_owned).or(own)?;
        let found = self.short_link(&host, [code])?;
        Some((found, host))
    }

    /// The number of a workspace, if it is known and not deleted.
    #[must_use]
    pub fn number_of(&self, workspace_id: WorkspaceId) -> Option<WorkspaceNo> {
        let entries = self.read();
        let mut known = entries.workspaces.iter();
        known.find_map(|(no, known)| {
            let is_it = known.workspace_id == workspace_id && !known.deleted;
            is_it.then_some(*no)
        })
    }

    /// Whose links this host serves; `None` for any other host.
    #[must_use]
    pub fn serves(&self, host: &str) -> Option<Serves> {
        self.read().serves(host).map(|(_, serves)| serves)
    }

    /// The apps of a tenant.
    #[must_use]
    pub fn apps_of(&self, tenant: WorkspaceNo) -> Vec<App> {
        self.read().hosts.apps_of(tenant).cloned().collect()
    }

    /// The page, if it is known.
    #[must_use]
    pub fn page(&self, page_id: PageId) -> Option<KnownPage> {
        let entries = self.read();
        let (tenant, _) = entries.pages.get(&page_id)?;
        Some(KnownPage {
            page_id,
            tenant: *tenant,
        })
    }

    /// The workspace with this number, if it is known. A deleted one keeps its number, so its records
    /// can still be read.
    #[must_use]
    pub fn workspace(&self, workspace_no: WorkspaceNo) -> Option<WorkspaceId> {
        let entries = self.read();
        let known = entries.workspaces.get(&workspace_no)?;
        Some(known.workspace_id)
    }

    /// The workspace with this number, if it is known and not deleted.
    #[must_use]
    pub fn open_workspace(&self, workspace_no: WorkspaceNo) -> Option<WorkspaceId> {
        let entries = self.read();
        let known = entries.workspaces.get(&workspace_no)?;
        (!known.deleted).then_some(known.workspace_id)
    }

    /// The fingerprints of secrets in the log.
    #[must_use]
    pub fn secrets(&self) -> Option<SecretFingerprints> {
        self.read().secrets.clone()
    }

    /// Applies an entry and wakes all waiting callers.
    pub fn apply(&self, entry: Entry) {
        self.change(|entries| entries.apply(entry));
    }

    /// Replaces all entries with those read from a whole topic, and wakes all waiting callers.
    pub fn replace(&self, fresh: Entries) {
        self.change(|entries| *entries = fresh);
    }

    /// Waits until `look` finds a value in the directory, for at most `limit`.
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        look: impl Fn(&Self) -> Option<T>,
    ) -> Option<T> {
        // Subscribed before the first look, so a change between the look and the wait is not
        // missed.
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = look(self) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(limit, found).await.ok().flatten()
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) {
        let (pages, workspaces, links) = {
            let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
            change(&mut entries);
            (
                entries.pages.len(),
                entries.workspaces.len(),
                entries.links.len(),
            )
        };
        show("page", pages);
        show("workspace", workspaces);
        show("link", links);
        self.changes.send_replace(());
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge; no directory has 2^52 entries"
)]
fn show(kind: &'static str, entries: usize) {
    metrics::gauge!("ingest_directory_entries", "kind" => kind).set(entries as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use uuid::Uuid;

    const PAGE: PageId = PageId(Uuid::from_u128(1));

    fn page(workspace: u32, row_version: i64) -> Entry {
        Entry::Page(Page {
            page_id: PAGE,
            workspace_no: WorkspaceNo(workspace),
            workspace_id: WorkspaceId(Uuid::from_u128(workspace.into())),
            row_version,
        })
    }

    fn workspace_of(directory: &Directory) -> Option<u32> {
        Some(directory.page(PAGE)?.tenant.workspace_no.0)
    }

    #[test]
    fn the_higher_version_wins_in_any_order() {
        let directory = Directory::default();
        directory.apply(page(7, 2));
        directory.apply(page(8, 1));
        assert_eq!(workspace_of(&directory), Some(7));
        directory.apply(page(9, 3));
        assert_eq!(workspace_of(&directory), Some(9));
    }

    #[test]
    fn a_page_makes_its_workspace_known_and_the_workspaces_own_entry_wins() {
        let directory = Directory::default();
        let own = WorkspaceId(Uuid::from_u128(70));
        directory.apply(page(7, 5));
        assert_eq!(
            directory.workspace(WorkspaceNo(7)),
            Some(WorkspaceId(Uuid::from_u128(7)))
        );
        directory.apply(Entry::Workspace(Workspace {
            workspace_no: WorkspaceNo(7),
            workspace_id: own,
            deleted: false,
            row_version: 1,
        }));
        directory.apply(page(7, 6));
        assert_eq!(directory.workspace(WorkspaceNo(7)), Some(own));
        directory.apply(page(0, 9));
        assert_eq!(directory.workspace(WorkspaceNo::NONE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_caller_is_woken_by_the_change_or_by_the_limit() {
        let directory = Arc::new(Directory::default());
        let limit = Duration::from_secs(2);
        assert_eq!(directory.wait_for(limit, workspace_of).await, None);
        let waiting = {
            let directory = Arc::clone(&directory);
            tokio::spawn(async move { directory.wait_for(limit, workspace_of).await })
        };
        tokio::task::yield_now().await;
        directory.apply(page(7, 1));
        assert_eq!(waiting.await.unwrap(), Some(7));
        assert_eq!(directory.wait_for(limit, workspace_of).await, Some(7));
    }
}
