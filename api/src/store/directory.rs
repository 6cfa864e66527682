//! Reads every entry of the directory from the tables, with its row version.

use super::{creators::workspace_no, row::row};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use schemas::{
    LinkId, PageId, WorkspaceId,
    directory::{Domain, Entry, Link, LinkSettings, Page, Workspace},
};
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) const WORKSPACES: &str = "\
SELECT id AS workspace_id, no, row_version
FROM workspaces
ORDER BY no";

pub(super) const PAGES: &str = "\
SELECT bio_pages.id AS page_id, workspace_id, workspaces.no, bio_pages.row_version
FROM bio_pages
JOIN creators ON creators.id = creator_id
JOIN workspaces ON workspaces.id = workspace_id
ORDER BY bio_pages.id";

pub(super) const LINKS: &str = "\
SELECT links.id AS link_id, workspaces.no, destination, short_code, deleted_at IS NOT NULL AS deleted,
       links.row_version
FROM links
JOIN workspaces ON workspaces.id = workspace_id
ORDER BY links.id";

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
        deleted: bool,
        row_version: i64,
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

/// Every workspace.
pub(crate) fn read_workspaces(connection: &mut PgConnection) -> Entries<'_> {
    let rows = sqlx::query_as::<_, WorkspaceRow>(WORKSPACES).fetch(connection);
    let entry = |row: WorkspaceRow| {
        Entry::Workspace(Workspace {
            workspace_no: workspace_no(row.no),
            workspace_id: WorkspaceId(row.workspace_id),
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
    let entry = |row: LinkRow| {
        Entry::Link(Box::new(Link {
            link_id: LinkId(row.link_id),
            workspace_no: workspace_no(row.no),
            destination: row.destination,
            short_code: row.short_code,
            host: None,
            settings: LinkSettings::default(),
            deleted: row.deleted,
            row_version: row.row_version,
        }))
    };
    rows.map_ok(entry).boxed()
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
