//! The statements on the main database, in one file for each table.
//!
//! Every statement is a constant in a list here, so that a test can prepare all of them on a
//! freshly migrated database. The one rule: a change writes its rows, its audit row and its outbox
//! rows in one transaction.

pub(crate) mod audit;
pub(crate) mod clicks;
pub(crate) mod conversions;
pub(crate) mod creators;
pub(crate) mod customers;
pub(crate) mod directory;
pub(crate) mod domains;
pub(crate) mod event_outbox;
pub(crate) mod fx;
pub(crate) mod keys;
pub(crate) mod links;
mod listing;
pub(crate) mod members;
pub(crate) mod outbox;
pub(crate) mod pages;
pub(crate) mod postback_tokens;
pub(crate) mod public;
pub(crate) mod record;
mod row;
pub(crate) mod workspaces;

use sqlx::{Transaction, error::DatabaseError};

/// A transaction on the main database.
pub(crate) type Tx<'a> = Transaction<'a, sqlx::Postgres>;

/// A fixed statement: its name and its text.
pub type Statement = (&'static str, &'static str);

/// Every fixed statement on the main database.
pub const MAIN_STATEMENTS: &[Statement] = &[
    ("audit.insert", audit::INSERT),
    ("conversions.workspace", conversions::WORKSPACE),
    ("conversions.lock_click", conversions::LOCK_CLICK),
    ("conversions.of_order", conversions::OF_ORDER),
    ("conversions.same_lead", conversions::SAME_LEAD),
    ("conversions.same_pixel", conversions::SAME_PIXEL),
    ("conversions.count_of_click", conversions::COUNT_OF_CLICK),
    ("conversions.insert", conversions::INSERT),
    ("conversions.find", conversions::FIND),
    ("conversions.lock", conversions::LOCK),
    ("conversions.update", conversions::UPDATE),
    ("conversions.find_refund", conversions::FIND_REFUND),
    ("conversions.count_refunds", conversions::COUNT_REFUNDS),
    ("conversions.insert_refund", conversions::INSERT_REFUND),
    ("conversions.unconverted", conversions::UNCONVERTED),
    ("conversions.of_customer", conversions::OF_CUSTOMER),
    ("conversions.forget_metadata", conversions::FORGET_METADATA),
    ("creators.by_sub", creators::BY_SUB),
    ("creators.by_id_and_sub", creators::BY_ID_AND_SUB),
    ("creators.conflicts", creators::CONFLICTS),
    ("creators.insert", creators::INSERT),
    ("creators.grant", creators::GRANT),
    ("customers.find_or_insert", customers::FIND_OR_INSERT),
    ("customers.note_conversion", customers::NOTE_CONVERSION),
    ("customers.insert", customers::INSERT),
    ("customers.find", customers::FIND),
    ("customers.find_external", customers::FIND_EXTERNAL),
    ("customers.list", customers::LIST),
    ("customers.count", customers::COUNT),
    ("customers.erase", customers::ERASE),
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
    ("keys.by_hash", keys::BY_HASH),
    ("keys.record_use", keys::RECORD_USE),
    ("keys.insert", keys::INSERT),
    ("keys.count_live", keys::COUNT_LIVE),
    ("keys.list", keys::LIST),
    ("keys.count", keys::COUNT),
    ("keys.find", keys::FIND),
    ("keys.revoke", keys::REVOKE),
    ("keys.end", keys::END),
    ("event_outbox.insert", event_outbox::INSERT),
    ("event_outbox.take", event_outbox::TAKE),
    ("event_outbox.delete", event_outbox::DELETE),
    ("event_outbox.count", event_outbox::COUNT),
    ("fx.rate", fx::RATE),
    ("fx.save", fx::SAVE),
    ("fx.is_empty", fx::IS_EMPTY),
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
    ("postback_tokens.find", postback_tokens::FIND),
    ("postback_tokens.set", postback_tokens::SET),
    ("postback_tokens.clear", postback_tokens::CLEAR),
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
    ("clicks.link", clicks::LINK),
    ("schema.version", crate::startup::SCHEMA_VERSION),
    ("reading.process", crate::query::reading::PROCESS),
    ("reading.cancel", crate::query::reading::CANCEL),
];

/// The name of the constraint that an insert broke, if it broke one.
pub(crate) fn broken_constraint(error: &sqlx::Error) -> Option<&str> {
    error
        .as_database_error()
        .and_then(DatabaseError::constraint)
}
