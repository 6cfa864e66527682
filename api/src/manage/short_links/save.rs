//! Writes links: the steps that create, change, delete and restore share.
//!
//! The one rule: everything happens in the caller's unit of work, which has the workspace's row
//! locked. So limits are exact, and two changes of one link follow each other.

use super::{WireShortLink, app_links::find_apps, edit::Edit, password, short_code};
use crate::{
    app::App,
    auth::{Permission, Tenant},
    behavior::Behavior,
    manage::{
        plain,
        tags::MAX_TAGS,
        target::{Hosts, candidates},
        work::{Trace, Work},
    },
    patch::{Change, differences},
    refusals,
    store::{self, Tx, short_codes::Place, short_links::ShortLink},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use runtime::http::ApiError;
use serde_json::{Value, json};
use sqlx::types::Json;
use url::Url;
use uuid::Uuid;

/// A request that writes links.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Save<'a> {
    app: &'a App,
    tenant: &'a Tenant,
    now: Timestamp,
    via: &'static str,
}

/// An edit whose addresses are checked, with the hash of its password.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    edit: Edit,
    password_hash: Change<String>,
}

/// What an upsert did to a link.
#[derive(Clone, Debug)]
pub(crate) enum Upserted {
    Created(Uuid),
    /// With the changes for the audit row.
    Changed(Uuid, Value),
    Same(Uuid),
}

impl Checked {
    /// The same on a domain of the workspace; `None` is the host of the service.
    #[must_use]
    pub(crate) fn on_domain(mut self, domain: Option<Uuid>) -> Self {
        self.edit.domain = domain.map_or(Change::Null, Change::Given);
        self
    }
}

impl<'a> Save<'a> {
    /// A request on the surface of workspaces.
    pub(crate) const fn new(app: &'a App, tenant: &'a Tenant, now: Timestamp) -> Self {
        let via = match tenant.key {
            Some(_) => "api",
            None => "dashboard",
        };
        Self {
            app,
            tenant,
            now,
            via,
        }
    }

    /// A request on the events API.
    pub(crate) const fn external(app: &'a App, tenant: &'a Tenant, now: Timestamp) -> Self {
        let via = "external";
        Self {
            app,
            tenant,
            now,
            via,
        }
    }

    /// Begins the change.
    pub(crate) async fn begin(&self) -> Result<Work<'a>, ApiError> {
        Work::begin(self.app, self.tenant, self.now).await
    }

    /// Checks the addresses of edits. The error of each has all its problems.
    pub(crate) async fn check(
        &self,
        edits: Vec<Edit>,
    ) -> Result<Vec<Result<Edit, Vec<String>>>, ApiError> {
        let addresses = edits.iter().flat_map(Edit::addresses);
        let named: Vec<String> = addresses.flat_map(candidates).collect();
        let hosts = find_hosts(self.app, named).await?;
        let check = |mut edit: Edit| edit.check(&hosts).map(|()| edit);
        Ok(edits.into_iter().map(check).collect())
    }

    /// Checks one edit: 400 with every problem.
    pub(crate) async fn check_one(&self, edit: Edit) -> Result<Checked, ApiError> {
        let checked = self.check(vec![edit]).await?;
        match checked.into_iter().next() {
            Some(Ok(edit)) => self.hash(edit).await,
            Some(Err(problems)) => Err(ApiError::validation(problems)),
            None => Err(ApiError::internal("an edit was lost")),
        }
    }

    /// Hashes the password, before any lock is taken.
    pub(crate) async fn hash(&self, edit: Edit) -> Result<Checked, ApiError> {
        let password_hash = match edit.password.clone() {
            Change::Given(password) if !password.is_empty() => {
                Change::Given(password::hash(password, &*self.app.ids).await?)
            }
            Change::Given(_) | Change::Null => Change::Null,
            Change::Absent => Change::Absent,
        };
        Ok(Checked {
            edit,
            password_hash,
        })
    }

    /// Creates a link, without its traces.
    pub(super) async fn create(&self, tx: &mut Tx<'_>, new: Checked) -> Result<Uuid, ApiError> {
        let Checked {
            mut edit,
            password_hash,
        } = new;
        self.check_references(tx, &mut edit).await?;
        let host = self.host(tx, &edit.domain).await?.flatten();
        let id = self.app.ids.uuid_v7(self.now);
        let ids = (self.tenant.workspace.id, id);
        let short_code = match &edit.short_code {
            Some(code) => {
                let place = Place {
                    host: host.as_deref(),
                    code,
                };
                if !store::short_codes::claim(tx, place, ids).await? {
                    return Err(refusals::short_code_exists());
                }
                code.clone()
            }
            None => short_code::draw(tx, &*self.app.ids, host.as_deref(), ids).await?,
        };
        let now = self.now.to_sqlx();
        let mut link = ShortLink {
            id,
            destination: String::new(),
            short_code,
            host,
            title: None,
            page_title: None,
            description: None,
            enabled: true,
            archived: false,
            campaign_id: None,
            campaign_deleted: false,
            folder_id: None,
            expires_at: None,
            clicks_limit: None,
            password_hash: None,
            behavior: Json(Behavior::default()),
            created_by: Some(self.tenant.actor().into_owned()),
            created_via: Some(self.via.to_owned()),
            created_at: now,
            updated_at: now,
            updated_by: None,
            updated_via: None,
            deleted_at: None,
            page_id: None,
            tags: Vec::new(),
        };
        password_hash.apply(&mut link.password_hash);
        let tags = edit.tags.clone();
        edit.apply(&mut link);
        store::short_links::insert(tx, self.tenant.workspace.id, &link).await?;
        if let Change::Given(tags) = tags {
            self.set_tags(tx, id, tags).await?;
        }
        Ok(id)
    }

    /// Changes a link that is locked. `None` when nothing changes, else the changes for the audit
    /// row.
    pub(crate) async fn change(
        &self,
        tx: &mut Tx<'_>,
        stored: &ShortLink,
        change: Checked,
    ) -> Result<Option<Value>, ApiError> {
        let Checked {
            mut edit,
            password_hash,
        } = change;
        self.check_references(tx, &mut edit).await?;
        let mut link = stored.clone();
        if let Some(host) = self.host(tx, &edit.domain).await? {
            link.host = host;
        }
        if let Some(code) = &edit.short_code {
            code.clone_into(&mut link.short_code);
        }
        password_hash.apply(&mut link.password_hash);
        let tags = match edit.tags.clone() {
            Change::Absent => None,
            Change::Null => Some(Vec::new()),
            Change::Given(tags) => Some(tags),
        };
        let tags = tags.filter(|tags| folded(tags) != folded(&stored.tags));
        edit.apply(&mut link);
        if let Some(tags) = &tags {
            link.tags.clone_from(tags);
        }
        let wire = |link: &ShortLink| WireShortLink::new(link.clone(), &self.app.short_urls);
        let mut changes = differences(&wire(stored), &wire(&link))?;
        if stored.password_hash != link.password_hash {
            // Only that it changed: the audit log is no place for secrets.
            changes.insert("password".to_owned(), json!("changed"));
        }
        if changes.is_empty() {
            return Ok(None);
        }
        if place(stored) != place(&link) {
            store::short_codes::release(tx, link.id).await?;
            self.claim(tx, &link).await?;
        }
        self.stamp(&mut link);
        store::short_links::update(tx, &link).await?;
        if let Some(tags) = tags {
            self.set_tags(tx, link.id, tags).await?;
        }
        Ok(Some(Value::Object(changes)))
    }

    /// Creates a link, or changes the workspace's link that has the code, without its traces. 403
    /// for a change by a caller who may only create.
    pub(crate) async fn upsert(
        &self,
        tx: &mut Tx<'_>,
        given: Checked,
    ) -> Result<Upserted, ApiError> {
        let workspace = self.tenant.workspace.id;
        let holder = match &given.edit.short_code {
            None => None,
            Some(code) => {
                let host = self.host(tx, &given.edit.domain).await?.flatten();
                let place = Place {
                    host: host.as_deref(),
                    code,
                };
                store::short_codes::find_holder(tx, place, workspace).await?
            }
        };
        let Some(id) = holder else {
            self.check_limit(tx, 1).await?;
            let id = self.create(tx, given).await?;
            return Ok(Upserted::Created(id));
        };
        if !self.tenant.may(Permission("links:update")) {
            return Err(refusals::permission_missing());
        }
        let stored = store::short_links::lock(tx, id, workspace).await?;
        let stored = stored.ok_or_else(refusals::short_link_not_found)?;
        let changes = self.change(tx, &stored, given).await?;
        Ok(changes.map_or(Upserted::Same(id), |changes| Upserted::Changed(id, changes)))
    }

    /// The id of a link after an upsert, and the audit row of a change.
    pub(crate) async fn trace(
        &self,
        tx: &mut Tx<'_>,
        upserted: Upserted,
    ) -> Result<(Uuid, Option<Trace>), ApiError> {
        Ok(match upserted {
            Upserted::Same(id) => (id, None),
            Upserted::Created(id) => {
                let detail = json!({ "link": self.answer(tx, id).await? });
                (id, Some(("link.created", id, detail)))
            }
            Upserted::Changed(id, changes) => {
                let detail = json!({ "changes": changes });
                (id, Some(("link.updated", id, detail)))
            }
        })
    }

    /// Takes the code of a link; 409 when it is another one's, or its host is another workspace's.
    pub(super) async fn claim(&self, tx: &mut Tx<'_>, link: &ShortLink) -> Result<(), ApiError> {
        let place = Place {
            host: link.host.as_deref(),
            code: &link.short_code,
        };
        let ids = (self.tenant.workspace.id, link.id);
        // The link may have outlived its host's time in this workspace.
        if let Some(host) = &link.host
            && !store::short_hosts::is_verified(tx, host, ids.0).await?
        {
            return Err(refusals::host_lost());
        }
        if store::short_codes::claim(tx, place, ids).await? {
            Ok(())
        } else {
            Err(refusals::short_code_exists())
        }
    }

    /// Refuses more links than the plan allows.
    pub(super) async fn check_limit(&self, tx: &mut Tx<'_>, more: i64) -> Result<(), ApiError> {
        let Some(most) = self.tenant.workspace.plan().limits().links else {
            return Ok(());
        };
        let count = store::short_links::count(tx, self.tenant.workspace.id).await?;
        if count + more > i64::from(most) {
            return Err(refusals::limit_exceeded(most));
        }
        Ok(())
    }

    /// A link as an answer shows it.
    pub(super) async fn answer(
        &self,
        tx: &mut Tx<'_>,
        id: Uuid,
    ) -> Result<WireShortLink, ApiError> {
        let found = store::short_links::find(&mut **tx, id, self.tenant.workspace.id).await?;
        let link = found.ok_or_else(refusals::short_link_not_found)?;
        Ok(WireShortLink::new(link, &self.app.short_urls))
    }

    /// Notes on a link who changes it now, and how.
    pub(super) fn stamp(&self, link: &mut ShortLink) {
        link.updated_at = self.now.to_sqlx();
        link.updated_by = Some(self.tenant.actor().into_owned());
        link.updated_via = Some(self.via.to_owned());
    }

    /// Refuses references to what the workspace does not have.
    async fn check_references(&self, tx: &mut Tx<'_>, edit: &mut Edit) -> Result<(), ApiError> {
        let workspace = self.tenant.workspace.id;
        if let Change::Given(id) = edit.campaign
            && !store::campaigns::exists(tx, id, workspace).await?
        {
            return Err(refusals::campaign_not_found());
        }
        if let Change::Given(id) = edit.folder
            && !store::folders::exists(tx, id, workspace).await?
        {
            return Err(refusals::folder_not_found());
        }
        match &mut edit.app_links {
            Change::Given(links) if !links.is_empty() => find_apps(tx, links, workspace).await,
            _ => Ok(()),
        }
    }

    /// The host that an edit names; `None` when it names none.
    pub(super) async fn host(
        &self,
        tx: &mut Tx<'_>,
        domain: &Change<Uuid>,
    ) -> Result<Option<Option<String>>, ApiError> {
        match domain {
            Change::Absent => Ok(None),
            Change::Null => Ok(Some(None)),
            Change::Given(id) => {
                let workspace = self.tenant.workspace.id;
                let host = store::short_hosts::find_verified(tx, *id, workspace).await?;
                host.map(|host| Some(Some(host)))
                    .ok_or_else(refusals::domain_not_verified)
            }
        }
    }

    async fn set_tags(
        &self,
        tx: &mut Tx<'_>,
        link_id: Uuid,
        names: Vec<String>,
    ) -> Result<(), ApiError> {
        let given = names.into_iter().map(|name| {
            let folded = plain::folded(&name);
            (self.app.ids.uuid_v7(self.now), name, folded)
        });
        let workspace = self.tenant.workspace.id;
        store::tags::set(tx, (link_id, workspace), given.collect(), self.now).await?;
        if store::tags::count(tx, workspace).await? > i64::from(MAX_TAGS) {
            return Err(refusals::limit_exceeded(MAX_TAGS));
        }
        Ok(())
    }
}

/// Locks a link against other changes; 404 when it is not the workspace's, or is deleted.
pub(crate) async fn lock_link(work: &mut Work<'_>, id: Uuid) -> Result<ShortLink, ApiError> {
    let link = store::short_links::lock(&mut work.tx, id, work.tenant.workspace.id).await?;
    let link = link.filter(|link| link.deleted_at.is_none());
    link.ok_or_else(refusals::short_link_not_found)
}

/// Commits changes of links with their audit rows, and publishes the links' entries.
pub(crate) async fn commit_links(mut work: Work<'_>, traces: Vec<Trace>) -> Result<(), ApiError> {
    let ids: Vec<Uuid> = traces.iter().map(|(_, id, _)| *id).collect();
    if !ids.is_empty() {
        let entries = store::directory::find_links(&mut work.tx, &ids).await?;
        work.publish(&entries).await?;
    }
    work.commit_all(traces).await
}

/// Which of these hosts are those of short URLs.
pub(crate) async fn find_hosts(app: &App, named: Vec<String>) -> Result<Hosts, ApiError> {
    let urls = &app.short_urls;
    let address = urls.own_address();
    let name = address.is_none().then(|| urls.own_host().to_owned());
    let others = store::short_hosts::list_verified(app.main.pool()?, &named).await?;
    Ok(Hosts::new(others.into_iter().chain(name)).at_address(address))
}

/// Refuses a url that opens one of our short links.
pub(crate) async fn refuse_loop(app: &App, text: &str) -> Result<(), ApiError> {
    let hosts = find_hosts(app, candidates(text)).await?;
    match Url::parse(text.trim()) {
        Ok(url) if hosts.lead_back(&url) => Err(refusals::looping_url()),
        _ => Ok(()),
    }
}

/// The place of a link's code, in the form in which places are compared.
fn place(link: &ShortLink) -> (Option<&str>, String) {
    (link.host.as_deref(), link.short_code.to_ascii_lowercase())
}

fn folded(tags: &[String]) -> Vec<String> {
    let mut folded: Vec<String> = tags.iter().map(|tag| plain::folded(tag)).collect();
    folded.sort_unstable();
    folded
}
