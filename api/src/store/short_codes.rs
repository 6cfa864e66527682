//! Who has which code of short URLs, by host.
//!
//! The one rule: a code that was given up stays its workspace's, so that no other tenant takes over
//! a link that is printed somewhere.

use super::{Statement, Tx, statements};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![CLAIM, RELEASE, HOLDER];

// Only the tenant of a verified host makes links on it. A later tenant of the host therefore gets
// the codes of the earlier one, except those of links that it has there already: it may have had
// the host before. The host of PUBLIC_URL ('') serves every workspace.
pub(super) const CLAIM: &str = "\
INSERT INTO short_codes (host, code, workspace_id, link_id)
VALUES (coalesce($1, ''), $2, $3, $4)
ON CONFLICT (host, code) DO UPDATE
SET workspace_id = excluded.workspace_id,
    link_id = excluded.link_id
WHERE (short_codes.workspace_id = excluded.workspace_id AND short_codes.link_id IS NULL)
   OR (short_codes.workspace_id <> excluded.workspace_id AND short_codes.host <> ''
       AND NOT EXISTS (
           SELECT
           FROM links
           WHERE links.workspace_id = excluded.workspace_id
             AND links.host = excluded.host
             AND lower(links.short_code) = excluded.code
             AND links.id <> excluded.link_id
             AND links.deleted_at IS NULL))";

pub(super) const RELEASE: &str = "\
UPDATE short_codes
SET link_id = NULL
WHERE link_id = $1";

pub(super) const HOLDER: &str = "\
SELECT link_id
FROM short_codes
WHERE host = coalesce($1, '')
  AND code = $2
  AND workspace_id = $3
  AND link_id IS NOT NULL";

/// A code on a host; `None` is the host of `PUBLIC_URL`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) host: Option<&'a str>,
    pub(crate) code: &'a str,
}

/// Takes the code for a link; false when another link has it, or had it in another workspace. Two
/// requests for one code wait for each other here.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    (workspace_id, link_id): (Uuid, Uuid),
) -> sqlx::Result<bool> {
    let done = sqlx::query(CLAIM)
        .bind(place.host)
        .bind(place.code.to_ascii_lowercase())
        .bind(workspace_id)
        .bind(link_id)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives up the code of a link.
pub(crate) async fn release(tx: &mut Tx<'_>, link_id: Uuid) -> sqlx::Result<()> {
    sqlx::query(RELEASE)
        .bind(link_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The workspace's link that has the code.
pub(crate) async fn find_holder(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    workspace_id: Uuid,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(HOLDER)
        .bind(place.host)
        .bind(place.code.to_ascii_lowercase())
        .bind(workspace_id)
        .fetch_optional(&mut **tx)
        .await
}
