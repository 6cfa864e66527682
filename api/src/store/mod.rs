//! The statements on the main database, in one file for each table.
//!
//! Every statement is a constant in a list here, so that a test can prepare all of them on a
//! freshly migrated database. The one rule: a change writes its rows, its audit row and its outbox
//! rows in one transaction.

pub(crate) mod audit;
pub(crate) mod buckets;
pub(crate) mod campaigns;
pub(crate) mod clicks;
pub(crate) mod conversions;
pub(crate) mod counted_clicks;
pub(crate) mod creators;
pub(crate) mod customers;
pub(crate) mod directory;
pub(crate) mod domains;
pub(crate) mod event_outbox;
pub(crate) mod folders;
pub(crate) mod followed_conversions;
pub(crate) mod fx;
pub(crate) mod inventory;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod links_of;
pub(crate) mod listed;
pub(crate) mod members;
pub(crate) mod mobile_apps;
pub(crate) mod outbox;
pub(crate) mod pages;
pub(crate) mod postback_tokens;
pub(crate) mod public;
pub(crate) mod qr_codes;
pub(crate) mod record;
mod row;
pub(crate) mod rules;
pub(crate) mod short_codes;
pub(crate) mod short_hosts;
pub(crate) mod short_links;
mod stored;
pub(crate) mod tags;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhook_feeds;
pub(crate) mod webhooks;
pub(crate) mod workspaces;

pub(crate) use stored::{Bound, Stored, find, list};

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
    ("campaigns.list", campaigns::LIST),
    ("campaigns.length", campaigns::LENGTH),
    ("campaigns.find", campaigns::FIND),
    ("campaigns.find_any", campaigns::FIND_ANY),
    ("campaigns.exists", campaigns::EXISTS),
    ("campaigns.priced", campaigns::PRICED),
    ("campaigns.count", campaigns::COUNT),
    ("campaigns.insert", campaigns::INSERT),
    ("campaigns.update", campaigns::UPDATE),
    ("campaigns.touch", campaigns::TOUCH),
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
    ("conversions.these", conversions::THESE),
    ("conversions.of_customer", conversions::OF_CUSTOMER),
    ("conversions.forget_metadata", conversions::FORGET_METADATA),
    ("counted_clicks.forget", counted_clicks::FORGET),
    ("counted_clicks.forget_all", counted_clicks::FORGET_ALL),
    ("counted_clicks.recount_all", counted_clicks::RECOUNT_ALL),
    ("counted_clicks.positions", counted_clicks::POSITIONS),
    ("counted_clicks.position", counted_clicks::POSITION),
    ("counted_clicks.start", counted_clicks::START),
    ("counted_clicks.uncounted", counted_clicks::UNCOUNTED),
    ("counted_clicks.advance", counted_clicks::ADVANCE),
    ("counted_clicks.add", counted_clicks::ADD),
    ("counted_clicks.set", counted_clicks::SET),
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
    ("directory.these_links", directory::THESE_LINKS),
    ("directory.campaigns", directory::CAMPAIGNS),
    ("directory.this_campaign", directory::THIS_CAMPAIGN),
    ("directory.domains", directory::DOMAINS),
    ("directory.apps", directory::APPS),
    ("directory.this_app", directory::THIS_APP),
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
    ("folders.list", folders::LIST),
    ("folders.length", folders::LENGTH),
    ("folders.find", folders::FIND),
    ("folders.exists", folders::EXISTS),
    ("folders.count", folders::COUNT),
    ("folders.ancestors", folders::ANCESTORS),
    ("folders.height", folders::HEIGHT),
    ("folders.insert", folders::INSERT),
    ("folders.update", folders::UPDATE),
    ("folders.lift_folders", folders::LIFT_FOLDERS),
    ("folders.lift_links", folders::LIFT_LINKS),
    ("folders.delete", folders::DELETE),
    ("inventory.count", inventory::COUNT),
    ("keys.by_hash", keys::BY_HASH),
    ("keys.record_use", keys::RECORD_USE),
    ("keys.insert", keys::INSERT),
    ("keys.count_live", keys::COUNT_LIVE),
    ("keys.list", keys::LIST),
    ("keys.count", keys::COUNT),
    ("keys.find", keys::FIND),
    ("keys.names", keys::NAMES),
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
    ("links_of.folders", links_of::FOLDERS),
    ("links_of.tags", links_of::TAGS),
    ("links_of.count_folders", links_of::COUNT_FOLDERS),
    ("links_of.count_tags", links_of::COUNT_TAGS),
    ("listed.links", listed::LINKS),
    ("listed.campaigns", listed::CAMPAIGNS),
    ("listed.rules", listed::RULES),
    ("members.list", members::LIST),
    ("members.count", members::COUNT),
    ("members.find", members::FIND),
    ("members.count_owners", members::COUNT_OWNERS),
    ("members.update", members::UPDATE),
    ("members.delete", members::DELETE),
    ("mobile_apps.list", mobile_apps::LIST),
    ("mobile_apps.count", mobile_apps::COUNT),
    ("mobile_apps.find", mobile_apps::FIND),
    ("mobile_apps.platforms", mobile_apps::PLATFORMS),
    ("mobile_apps.insert", mobile_apps::INSERT),
    ("mobile_apps.update", mobile_apps::UPDATE),
    ("mobile_apps.delete", mobile_apps::DELETE),
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
    ("qr_codes.list", qr_codes::LIST),
    ("qr_codes.find", qr_codes::FIND),
    ("qr_codes.count", qr_codes::COUNT),
    ("qr_codes.insert", qr_codes::INSERT),
    ("qr_codes.update", qr_codes::UPDATE),
    ("qr_codes.delete", qr_codes::DELETE),
    ("rules.list", rules::LIST),
    ("rules.length", rules::LENGTH),
    ("rules.find", rules::FIND),
    ("rules.count", rules::COUNT),
    ("rules.insert", rules::INSERT),
    ("rules.update", rules::UPDATE),
    ("rules.delete", rules::DELETE),
    ("short_codes.claim", short_codes::CLAIM),
    ("short_codes.release", short_codes::RELEASE),
    ("short_codes.holder", short_codes::HOLDER),
    ("short_hosts.find_verified", short_hosts::FIND_VERIFIED),
    ("short_hosts.find_default", short_hosts::FIND_DEFAULT),
    ("short_hosts.is_verified", short_hosts::IS_VERIFIED),
    ("short_hosts.list_verified", short_hosts::LIST_VERIFIED),
    ("short_links.newest", short_links::NEWEST),
    ("short_links.oldest", short_links::OLDEST),
    ("short_links.last_changed", short_links::LAST_CHANGED),
    ("short_links.first_changed", short_links::FIRST_CHANGED),
    ("short_links.by_title", short_links::BY_TITLE),
    (
        "short_links.by_title_backwards",
        short_links::BY_TITLE_BACKWARDS,
    ),
    ("short_links.by_code", short_links::BY_CODE),
    (
        "short_links.by_code_backwards",
        short_links::BY_CODE_BACKWARDS,
    ),
    ("short_links.length", short_links::LENGTH),
    ("short_links.find", short_links::FIND),
    ("short_links.lock", short_links::LOCK),
    ("short_links.page_of", short_links::PAGE_OF),
    ("short_links.count", short_links::COUNT),
    ("short_links.insert", short_links::INSERT),
    ("short_links.update", short_links::UPDATE),
    ("short_links.touch", short_links::TOUCH),
    ("short_links.take_from_page", short_links::TAKE_FROM_PAGE),
    ("tags.ensure", tags::ENSURE),
    ("tags.count", tags::COUNT),
    ("tags.clear_link", tags::CLEAR_LINK),
    ("tags.tag_link", tags::TAG_LINK),
    ("tags.list", tags::LIST),
    ("tags.length", tags::LENGTH),
    ("tags.find", tags::FIND),
    ("tags.insert", tags::INSERT),
    ("tags.update", tags::UPDATE),
    ("tags.clear_tag", tags::CLEAR_TAG),
    ("tags.delete", tags::DELETE),
    ("webhooks.list", webhooks::LIST),
    ("webhooks.count", webhooks::COUNT),
    ("webhooks.find", webhooks::FIND),
    ("webhooks.insert", webhooks::INSERT),
    ("webhooks.update", webhooks::UPDATE),
    ("webhooks.rotate", webhooks::ROTATE),
    ("webhooks.delete", webhooks::DELETE),
    ("webhooks.switch_all_off", webhooks::SWITCH_ALL_OFF),
    ("webhooks.secrets", webhooks::SECRETS),
    ("webhooks.renew", webhooks::RENEW),
    ("webhook_deliveries.lock", webhook_deliveries::LOCK),
    ("webhook_deliveries.list", webhook_deliveries::LIST),
    ("webhook_deliveries.count", webhook_deliveries::COUNT),
    ("webhook_deliveries.find", webhook_deliveries::FIND),
    ("webhook_deliveries.again", webhook_deliveries::AGAIN),
    ("webhook_deliveries.claim", webhook_deliveries::CLAIM),
    (
        "webhook_deliveries.delivered",
        webhook_deliveries::DELIVERED,
    ),
    ("webhook_deliveries.failed", webhook_deliveries::FAILED),
    ("webhook_deliveries.succeeds", webhook_deliveries::SUCCEEDS),
    ("webhook_deliveries.fails", webhook_deliveries::FAILS),
    ("webhook_deliveries.is_dead", webhook_deliveries::IS_DEAD),
    (
        "webhook_deliveries.switch_off",
        webhook_deliveries::SWITCH_OFF,
    ),
    ("webhook_deliveries.end_all", webhook_deliveries::END_ALL),
    ("webhook_deliveries.waiting", webhook_deliveries::WAITING),
    ("webhook_deliveries.expire", webhook_deliveries::EXPIRE),
    ("webhook_deliveries.trim", webhook_deliveries::TRIM),
    ("webhook_feeds.lock", webhook_feeds::LOCK),
    ("webhook_feeds.any", webhook_feeds::ANY),
    ("webhook_feeds.list", webhook_feeds::LIST),
    ("webhook_feeds.move", webhook_feeds::MOVE),
    ("webhook_feeds.add", webhook_feeds::ADD),
    ("workspaces.insert", workspaces::INSERT),
    ("workspaces.insert_member", workspaces::INSERT_MEMBER),
    ("workspaces.membership", workspaces::MEMBERSHIP),
    ("workspaces.of_user", workspaces::OF_USER),
    ("workspaces.count_of_user", workspaces::COUNT_OF_USER),
    ("workspaces.lock", workspaces::LOCK),
    ("workspaces.lock_settings", workspaces::LOCK_SETTINGS),
    ("workspaces.update", workspaces::UPDATE),
    ("workspaces.is_open", workspaces::IS_OPEN),
    ("workspaces.has_creator", workspaces::HAS_CREATOR),
    ("workspaces.delete", workspaces::DELETE),
];

/// Every fixed statement on the analytics database; those of reports are built, see
/// [`report_statements`](crate::report_statements).
pub const ANALYTICS_STATEMENTS: &[Statement] = &[
    ("clicks.link", clicks::LINK),
    ("counted_clicks.progress", counted_clicks::PROGRESS),
    ("counted_clicks.since", counted_clicks::SINCE),
    ("counted_clicks.newest", counted_clicks::NEWEST),
    ("counted_clicks.until", counted_clicks::UNTIL),
    ("followed_conversions.newest", followed_conversions::NEWEST),
    ("followed_conversions.before", followed_conversions::BEFORE),
    (
        "followed_conversions.pending",
        followed_conversions::PENDING,
    ),
    ("followed_conversions.page", followed_conversions::PAGE),
    ("schema.version", crate::startup::SCHEMA_VERSION),
    ("events.sync", statements::SYNC.all),
    ("events.sync_of_links", statements::SYNC.of_links),
    ("events.follow", statements::FOLLOW.all),
    ("events.follow_of_links", statements::FOLLOW.of_links),
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
