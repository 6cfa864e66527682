//! Makes the entries of the directory from the tables, with their row versions.
//!
//! Both the publication of a change and that of everything use these statements, so they agree.

use super::{Statement, Tx, creators::workspace_no, mobile_apps, row::row, statements};
use crate::{
    behavior::{Behavior, RuleBehavior},
    conditions::{self, Logic},
};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use schemas::{
    AppId, CampaignId, LinkId, PageId, RuleId, WorkspaceId,
    directory::{App, Campaign, Domain, Entry, Link, LinkSettings, Page, QrCode, Rule, Workspace},
};
use serde::Deserialize;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    WORKSPACES,
    PAGES,
    LINKS,
    THESE_LINKS,
    CAMPAIGNS,
    THIS_CAMPAIGN,
    DOMAINS,
    APPS,
    THIS_APP
];

pub(super) const WORKSPACES: &str = "\
SELECT id AS workspace_id, no, ended_at IS NOT NULL AS deleted, row_version
FROM workspaces
ORDER BY no";

pub(super) const PAGES: &str = "\
SELECT bio_pages.id AS page_id, workspace_id, workspaces.no, bio_pages.row_version
FROM bio_pages
JOIN creators ON creators.id = creator_id
JOIN workspaces ON workspaces.id = workspace_id
ORDER BY bio_pages.id";

/// What a link's entry is made of; both statements below have it.
macro_rules! link_columns {
    ($rest:literal) => {
        concat!(
            "\
SELECT links.id AS link_id, workspaces.no, destination, short_code, host, title, enabled, archived, campaign_id,
       expires_at, clicks_limit, clicks_used, password_hash, behavior, deleted_at IS NOT NULL AS deleted,
       links.row_version,
       (SELECT coalesce(jsonb_agg(to_jsonb(rules) ORDER BY priority, created_at, id), '[]')
        FROM rules
        WHERE rules.link_id = links.id
          AND rules.enabled
          AND rules.deleted_at IS NULL) AS rules,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('qr_id', id, 'code', code) ORDER BY created_at, id), '[]')
        FROM qr_codes
        WHERE qr_codes.link_id = links.id
          AND qr_codes.deleted_at IS NULL) AS qr_codes
FROM links
JOIN workspaces ON workspaces.id = workspace_id
",
            $rest
        )
    };
}

pub(super) const LINKS: &str = link_columns!("ORDER BY links.id");

pub(super) const THESE_LINKS: &str = link_columns!("WHERE links.id = ANY($1)\nORDER BY links.id");

/// What a campaign's entry is made of; both statements below have it.
macro_rules! campaign_columns {
    ($rest:literal) => {
        concat!(
            "\
SELECT campaigns.id AS campaign_id, workspaces.no, deleted_at IS NOT NULL AS deleted,
       campaigns.row_version,
       (SELECT coalesce(jsonb_agg(to_jsonb(rules) ORDER BY priority, created_at, id), '[]')
        FROM rules
        WHERE rules.campaign_id = campaigns.id
          AND rules.enabled
          AND rules.deleted_at IS NULL) AS rules
FROM campaigns
JOIN workspaces ON workspaces.id = workspace_id
",
            $rest
        )
    };
}

pub(super) const CAMPAIGNS: &str = campaign_columns!("ORDER BY campaigns.id");

pub(super) const THIS_CAMPAIGN: &str = campaign_columns!("WHERE campaigns.id = $1");

/// What an app's entry is made of; both statements below have it.
macro_rules! app_columns {
    ($rest:literal) => {
        concat!(
            "\
SELECT mobile_apps.id AS app_id, workspaces.no, platform, coalesce(package, '') AS package, team_id, fingerprints, store_url,
       deleted_at IS NOT NULL AS deleted, mobile_apps.row_version
FROM mobile_apps
JOIN workspaces ON workspaces.id = workspace_id
",
            $rest
        )
    };
}

pub(super) const APPS: &str = app_columns!("ORDER BY mobile_apps.id");

pub(super) const THIS_APP: &str = app_columns!("WHERE mobile_apps.id = $1");

// The workspace that has a host; if none has it, the last that had it.
pub(super) const DOMAINS: &str = "\
SELECT DISTINCT ON (host) host, no, removed_at IS NOT NULL AS deleted, domains.row_version
FROM domains
JOIN workspaces ON workspaces.id = workspace_id
WHERE verified_at IS NOT NULL
ORDER BY host, removed_at IS NULL DESC, domains.row_version DESC";

/// Entries as the database returns them.
pub(crate) type Entries<'a> = BoxStream<'a, sqlx::Result<Entry>>;

row! {
    struct WorkspaceRow {
        workspace_id: Uuid,
        no: i32,
        deleted: bool,
        row_version: i64,
    }
}

row! {
    struct PageRow {
        page_id: Uuid,
        workspace_id: Uuid,
        no: i32,
        row_version: i64,
    }
}

row! {
    struct LinkRow {
        link_id: Uuid,
        no: i32,
        destination: String,
        short_code: String,
        host: Option<String>,
        title: Option<String>,
        enabled: bool,
        archived: bool,
        campaign_id: Option<Uuid>,
        expires_at: Option<jiff_sqlx::Timestamp>,
        clicks_limit: Option<i32>,
        clicks_used: i32,
        password_hash: Option<String>,
        behavior: Json<Behavior>,
        deleted: bool,
        row_version: i64,
        rules: Json<Vec<StoredRule>>,
        qr_codes: Json<Vec<QrCode>>,
    }
}

row! {
    struct DomainRow {
        host: String,
        no: i32,
        deleted: bool,
        row_version: i64,
    }
}

row! {
    struct CampaignRow {
        campaign_id: Uuid,
        no: i32,
        deleted: bool,
        row_version: i64,
        rules: Json<Vec<StoredRule>>,
    }
}

row! {
    struct AppRow {
        app_id: Uuid,
        no: i32,
        platform: String,
        package: String,
        team_id: Option<String>,
        fingerprints: Vec<String>,
        store_url: Option<String>,
        deleted: bool,
        row_version: i64,
    }
}

/// The part of a rule's row that its entry is made of.
#[derive(Debug, Deserialize)]
struct StoredRule {
    id: Uuid,
    name: String,
    r#type: Option<String>,
    conditions: Value,
    logic: Logic,
    destination: String,
    behavior: RuleBehavior,
}

impl LinkRow {
    fn entry(self) -> Link {
        let settings = LinkSettings {
            title: self.title,
            disabled: !self.enabled,
            archived: self.archived,
            campaign_id: self.campaign_id.map(CampaignId),
            expires_at: self.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
            clicks_limit: self.clicks_limit.and_then(|limit| limit.try_into().ok()),
            clicks_used: match self.clicks_limit {
                Some(_) => self.clicks_used.try_into().unwrap_or_default(),
                None => 0,
            },
            password_hash: self.password_hash,
            rules: rules(self.rules.0),
            qr_codes: self.qr_codes.0,
            ..self.behavior.0.settings()
        };
        Link {
            link_id: LinkId(self.link_id),
            workspace_no: workspace_no(self.no),
            destination: self.destination,
            short_code: self.short_code,
            host: self.host,
            settings,
            deleted: self.deleted,
            row_version: self.row_version,
        }
    }
}

impl CampaignRow {
    fn entry(self) -> Campaign {
        Campaign {
            campaign_id: CampaignId(self.campaign_id),
            workspace_no: workspace_no(self.no),
            rules: rules(self.rules.0),
            deleted: self.deleted,
            row_version: self.row_version,
        }
    }
}

impl AppRow {
    fn entry(self) -> App {
        App {
            app_id: AppId(self.app_id),
            workspace_no: workspace_no(self.no),
            platform: mobile_apps::platform(&self.platform),
            package: self.package,
            team_id: self.team_id,
            fingerprints: self.fingerprints,
            store_url: self.store_url,
            deleted: self.deleted,
            row_version: self.row_version,
        }
    }
}

/// Rules as ingest evaluates them. One that cannot be read, which saving refuses, is left out, so
/// that it takes no link down.
fn rules(stored: Vec<StoredRule>) -> Vec<Rule> {
    let rule = |rule: StoredRule| {
        let test = conditions::read(rule.r#type.as_deref(), rule.logic, &rule.conditions);
        Some(Rule {
            rule_id: RuleId(rule.id),
            name: rule.name,
            test: test.ok()?,
            destination: rule.destination,
            forward: rule.behavior.forward(),
            redirect_delay_ms: rule.behavior.redirect_delay_ms,
            deep_links: rule.behavior.deep_links.entries(),
        })
    };
    stored.into_iter().filter_map(rule).collect()
}

/// Every workspace, deleted ones included.
pub(crate) fn read_workspaces(connection: &mut PgConnection) -> Entries<'_> {
    let rows = sqlx::query_as::<_, WorkspaceRow>(WORKSPACES).fetch(connection);
    let entry = |row: WorkspaceRow| {
        Entry::Workspace(Workspace {
            workspace_no: workspace_no(row.no),
            workspace_id: WorkspaceId(row.workspace_id),
            deleted: row.deleted,
            row_version: row.row_version,
        })
    };
    rows.map_ok(entry).boxed()
}

/// Every page.
pub(crate) fn read_pages(connection: &mut PgConnection) -> Entries<'_> {
    let rows = sqlx::query_as::<_, PageRow>(PAGES).fetch(connection);
    let entry = |row: PageRow| {
        Entry::Page(Page {
            page_id: PageId(row.page_id),
            workspace_no: workspace_no(row.no),
            workspace_id: WorkspaceId(row.workspace_id),
            row_version: row.row_version,
        })
    };
    rows.map_ok(entry).boxed()
}

/// Every link, deleted ones included.
pub(crate) fn read_links(connection: &mut PgConnection) -> Entries<'_> {
    let rows = sqlx::query_as::<_, LinkRow>(LINKS).fetch(connection);
    rows.map_ok(|row| Entry::Link(Box::new(row.entry())))
        .boxed()
}

/// Every campaign, deleted ones included.
pub(crate) fn read_campaigns(connection: &mut PgConnection) -> Entries<'_> {
    let rows = sqlx::query_as::<_, CampaignRow>(CAMPAIGNS).fetch(connection);
    rows.map_ok(|row| Entry::Campaign(row.entry())).boxed()
}

/// The entries of these links, as the transaction sees them.
pub(crate) async fn find_links(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query_as::<_, LinkRow>(THESE_LINKS)
        .bind(ids)
        .fetch_all(&mut **tx)
        .await?;
    let entries = rows
        .into_iter()
        .map(|row| Entry::Link(Box::new(row.entry())));
    Ok(entries.collect())
}

/// The entry of a campaign, as the transaction sees it.
pub(crate) async fn find_campaign(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<Entry> {
    let row = sqlx::query_as::<_, CampaignRow>(THIS_CAMPAIGN)
        .bind(id)
        .fetch_one(&mut **tx)
        .await?;
    Ok(Entry::Campaign(row.entry()))
}

/// Every app, deleted ones included.
pub(crate) fn read_apps(connection: &mut PgConnection) -> Entries<'_> {
    let rows = sqlx::query_as::<_, AppRow>(APPS).fetch(connection);
    rows.map_ok(|row| Entry::App(row.entry())).boxed()
}

/// The entry of an app, as the transaction sees it.
pub(crate) async fn find_app(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<Entry> {
    let row = sqlx::query_as::<_, AppRow>(THIS_APP)
        .bind(id)
        .fetch_one(&mut **tx)
        .await?;
    Ok(Entry::App(row.entry()))
}

/// Every host that is or was proven.
pub(crate) fn read_domains(connection: &mut PgConnection) -> Entries<'_> {
    let rows = sqlx::query_as::<_, DomainRow>(DOMAINS).fetch(connection);
    let entry = |row: DomainRow| {
        Entry::Domain(Domain {
            host: row.host,
            workspace_no: workspace_no(row.no),
            verified: true,
            deleted: row.deleted,
            row_version: row.row_version,
        })
    };
    rows.map_ok(entry).boxed()
}
