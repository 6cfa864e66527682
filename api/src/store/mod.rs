//! The statements on the main database, in one file for each table.
//!
//! Every statement is a constant in a list here, so that a test can prepare all of them on a
//! freshly migrated database. The one rule: a change writes its rows, its audit row and its outbox
//! rows in one transaction.

pub(crate) mod audit;
pub(crate) mod buckets;
pub(crate) mod creators;
pub(crate) mod directory;
pub(crate) mod domains;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod members;
pub(crate) mod outbox;
pub(crate) mod pages;
pub(crate) mod public;
pub(crate) mod record;
mod row;
pub(crate) mod workspaces;

use crate::events::statements;
use sqlx::{Transaction, error::DatabaseError};

/// A transaction on the main database.
pub(crate) type Tx<'a> = Transaction<'a, sqlx::Postgres>;

/// A fixed statement: its name and its text.
pub type Statement = (&'static str, &'static str);

/// Every fixed statement on the main database.
pub const MAIN_STATEMENTS: &[Statement] = &[
    ("audit.insert", audit::INSERT),
    ("buckets.spend", buckets::SPEND),
    ("creators.by_sub", creators::BY_SUB),
    ("creators.by_id_and_sub", creators::BY_ID_AND_SUB),
    ("creators.conflicts", creators::CONFLICTS),
    ("creators.insert", creators::INSERT),
    ("creators.grant", creators::GRANT),
    ("directory.workspaces", directory::WORKSPACES),
    ("directory.pages", directory::PAGES),
    ("directory.links", directory::LINKS),
    ("directory.domains", directory::DOMAINS),
    ("domains.list", domains::LIST),
    ("domains.count", domains::COUNT),
    ("domains.has_default", domains::HAS_DEFAULT),
    ("domains.find", domains::FIND),
    ("domains.insert", domains::INSERT),
    ("domains.lock_host", domains::LOCK_HOST),
    ("domains.lose", domains::LOSE),
    ("domains.verify", domains::VERIFY),
    ("domains.remove", domains::REMOVE),
    ("domains.clear_default", domains::CLEAR_DEFAULT),
    ("domains.set_default", domains::SET_DEFAULT),
    ("events.codes", statements::CODES),
    ("events.links_with_code", statements::LINKS_WITH_CODE),
    ("keys.by_hash", keys::BY_HASH),
    ("keys.record_use", keys::RECORD_USE),
    ("keys.insert", keys::INSERT),
    ("keys.count_live", keys::COUNT_LIVE),
    ("keys.list", keys::LIST),
    ("keys.count", keys::COUNT),
    ("keys.find", keys::FIND),
    ("keys.revoke", keys::REVOKE),
    ("keys.end", keys::END),
    ("links.insert", links::INSERT),
    ("links.insert_bio_link", links::INSERT_BIO_LINK),
    ("links.count", links::COUNT),
    ("links.of_page", links::OF_PAGE),
    ("links.names", links::NAMES),
    ("links.place", links::PLACE),
    ("links.find", links::FIND),
    ("links.update_bio_link", links::UPDATE_BIO_LINK),
    ("links.update", links::UPDATE),
    ("links.delete_bio_link", links::DELETE_BIO_LINK),
    ("links.mark_deleted", links::MARK_DELETED),
    ("links.count_these", links::COUNT_THESE),
    ("links.reorder", links::REORDER),
    ("members.list", members::LIST),
    ("members.count", members::COUNT),
    ("members.find", members::FIND),
    ("members.count_owners", members::COUNT_OWNERS),
    ("members.update", members::UPDATE),
    ("members.delete", members::DELETE),
    ("outbox.insert", outbox::INSERT),
    ("outbox.notify", outbox::NOTIFY),
    ("outbox.try_lock", outbox::TRY_LOCK),
    ("outbox.waiting", outbox::WAITING),
    ("outbox.oldest", outbox::OLDEST),
    ("outbox.delete", outbox::DELETE),
    ("outbox.delete_all", outbox::DELETE_ALL),
    ("outbox.read_log", outbox::READ_LOG),
    ("outbox.write_log", outbox::WRITE_LOG),
    ("pages.slugs", pages::SLUGS),
    ("pages.count", pages::COUNT),
    ("pages.insert", pages::INSERT),
    ("pages.next_position", pages::NEXT_POSITION),
    ("pages.find", pages::FIND),
    ("pages.lock", pages::LOCK),
    ("pages.update", pages::UPDATE),
    ("pages.raise_versions", pages::RAISE_VERSIONS),
    ("pages.raise_content_version", pages::RAISE_CONTENT_VERSION),
    ("public.head", public::HEAD),
    ("public.page", public::PAGE),
    ("workspaces.insert", workspaces::INSERT),
    ("workspaces.insert_member", workspaces::INSERT_MEMBER),
    ("workspaces.membership", workspaces::MEMBERSHIP),
    ("workspaces.of_user", workspaces::OF_USER),
    ("workspaces.lock", workspaces::LOCK),
    ("workspaces.lock_settings", workspaces::LOCK_SETTINGS),
    ("workspaces.update", workspaces::UPDATE),
];

/// Every fixed statement on the analytics database; those of reports are built, see
/// [`report_statements`](crate::report_statements).
pub const ANALYTICS_STATEMENTS: &[Statement] = &[
    ("schema.version", crate::startup::SCHEMA_VERSION),
    ("events.sync", statements::SYNC.all),
    ("events.sync_of_links", statements::SYNC.of_links),
    ("events.browse", statements::BROWSE.all),
    ("events.browse_of_links", statements::BROWSE.of_links),
    ("events.first", statements::FIRST.all),
    ("events.first_of_links", statements::FIRST.of_links),
    ("events.recent", statements::RECENT.all),
    ("events.recent_of_links", statements::RECENT.of_links),
    ("events.position", statements::POSITION),
    ("events.watermark", statements::WATERMARK),
    ("reading.process", crate::query::reading::PROCESS),
    ("reading.cancel", crate::query::reading::CANCEL),
];

/// The name of the constraint that an insert broke, if it broke one.
pub(crate) fn broken_constraint(error: &sqlx::Error) -> Option<&str> {
    error
        .as_database_error()
        .and_then(DatabaseError::constraint)
}
