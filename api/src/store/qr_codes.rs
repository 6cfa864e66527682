//! QR codes of links.
//!
//! The one rule: a change has the link's row locked, and raises its version.

use super::{Bound, Statement, Tx, row::row, statements, stored};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![LIST, FIND, COUNT, INSERT, UPDATE, DELETE];

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "\
SELECT qr_codes.id, link_id, short_code, host, code, name, design, qr_codes.created_at, qr_codes.updated_at
FROM qr_codes
JOIN links ON links.id = link_id
",
            $rest
        )
    };
}

pub(super) const LIST: &str = columns!(
    "\
WHERE link_id = $1
  AND qr_codes.deleted_at IS NULL
ORDER BY qr_codes.created_at, qr_codes.id
LIMIT $2
OFFSET $3"
);

pub(super) const FIND: &str = columns!(
    "\
WHERE qr_codes.id = $1
  AND qr_codes.workspace_id = $2
  AND qr_codes.deleted_at IS NULL
  AND links.deleted_at IS NULL"
);

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM qr_codes
WHERE link_id = $1
  AND deleted_at IS NULL";

pub(super) const INSERT: &str = "\
INSERT INTO qr_codes (id, workspace_id, link_id, code, name, design, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT ON CONSTRAINT qr_codes_code_key DO NOTHING";

pub(super) const UPDATE: &str = "\
UPDATE qr_codes
SET name = $2,
    design = $3,
    updated_at = $4
WHERE id = $1";

pub(super) const DELETE: &str = "\
UPDATE qr_codes
SET deleted_at = $2,
    updated_at = $2
WHERE id = $1";

row! {
    /// A QR code, with the short URL of its link.
    #[derive(Clone, Debug)]
    pub(crate) struct QrRow {
        pub(crate) id: Uuid,
        pub(crate) link_id: Uuid,
        pub(crate) short_code: String,
        /// `None` is the host of `PUBLIC_URL`.
        pub(crate) host: Option<String>,
        /// Its value of the parameter `qr`.
        pub(crate) code: String,
        pub(crate) name: String,
        pub(crate) design: Json<Design>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
    }
}

/// How a QR code looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Design {
    /// Width and height of the picture, in pixels.
    pub(crate) size: u32,
    /// Free modules around the code.
    pub(crate) margin: u32,
    pub(crate) error_correction: ErrorCorrection,
    /// The dark colour, as `#rrggbb`.
    pub(crate) foreground: String,
    /// The light colour, as `#rrggbb`.
    pub(crate) background: String,
    /// The format that the answer links to.
    pub(crate) format: Format,
    /// Whether the middle stays free for a logo.
    pub(crate) logo_area: bool,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            size: 512,
            margin: 4,
            error_correction: ErrorCorrection::M,
            foreground: "#000000".to_owned(),
            background: "#ffffff".to_owned(),
            format: Format::Png,
            logo_area: false,
        }
    }
}

/// How much of a code may be damaged: about 7, 15, 25 and 30 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ErrorCorrection {
    L,
    M,
    Q,
    H,
}

/// The format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Png,
    Svg,
}

/// A part of the QR codes of a link, the oldest first, and how many there are.
pub(crate) async fn list(
    connection: &mut PgConnection,
    link_id: Uuid,
    limit_and_offset: (i64, i64),
) -> sqlx::Result<(Vec<QrRow>, i64)> {
    let bind = |statement: Bound| statement.bind(link_id);
    stored::part(connection, (LIST, COUNT), bind, limit_and_offset).await
}

/// A QR code of a workspace whose link is not deleted.
pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<QrRow>> {
    stored::one(executor, FIND, id, workspace_id).await
}

/// How many QR codes a link has.
pub(crate) async fn count(connection: &mut PgConnection, link_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT)
        .bind(link_id)
        .fetch_one(connection)
        .await
}

/// Creates a QR code; false when the link has, or had, another one with this code.
pub(crate) async fn insert(tx: &mut Tx<'_>, workspace_id: Uuid, qr: &QrRow) -> sqlx::Result<bool> {
    let done = sqlx::query(INSERT)
        .bind(qr.id)
        .bind(workspace_id)
        .bind(qr.link_id)
        .bind(&qr.code)
        .bind(&qr.name)
        .bind(&qr.design)
        .bind(qr.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the changeable columns of a QR code.
pub(crate) async fn update(tx: &mut Tx<'_>, qr: &QrRow) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(qr.id)
        .bind(&qr.name)
        .bind(&qr.design)
        .bind(qr.updated_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Marks a QR code as deleted. Its scans still name it.
pub(crate) async fn delete(
    tx: &mut Tx<'_>,
    id: Uuid,
    now: jiff_sqlx::Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(DELETE)
        .bind(id)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
