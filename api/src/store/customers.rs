//! Customers: who bought or signed up. Their personal data are here and nowhere else.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::ClickId;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    FIND_OR_INSERT,
    NOTE_CONVERSION,
    INSERT,
    FIND,
    FIND_EXTERNAL,
    LIST,
    COUNT,
    ERASE
];

// The update that changes nothing locks the row, so that two first calls for a customer make one of them.
pub(super) const FIND_OR_INSERT: &str = "\
INSERT INTO customers (id, workspace_id, external_id, email, name, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace_id, external_id) DO UPDATE
SET external_id = excluded.external_id
RETURNING *";

pub(super) const NOTE_CONVERSION: &str = "\
UPDATE customers
SET first_click_id = coalesce(first_click_id, $2),
    leads = leads + $3,
    sales = sales + $4
WHERE id = $1";

pub(super) const INSERT: &str = "\
INSERT INTO customers (id, workspace_id, external_id, email, name, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace_id, external_id) DO NOTHING
RETURNING *";

pub(super) const FIND: &str = "\
SELECT *
FROM customers
WHERE id = $1
  AND workspace_id = $2
  AND deleted_at IS NULL";

pub(super) const FIND_EXTERNAL: &str = "\
SELECT *
FROM customers
WHERE workspace_id = $1
  AND external_id = $2
  AND deleted_at IS NULL";

pub(super) const LIST: &str = "\
SELECT *
FROM customers
WHERE workspace_id = $1
  AND deleted_at IS NULL
ORDER BY created_at DESC, id DESC
LIMIT $2 OFFSET $3";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM customers
WHERE workspace_id = $1
  AND deleted_at IS NULL";

pub(super) const ERASE: &str = "\
UPDATE customers
SET external_id = NULL,
    email = NULL,
    name = NULL,
    deleted_at = $2
WHERE id = $1
  AND deleted_at IS NULL";

row! {
    /// A customer.
    #[derive(Clone, Debug)]
    pub(crate) struct Customer {
        pub(crate) id: Uuid,
        pub(crate) external_id: Option<String>,
        pub(crate) email: Option<String>,
        pub(crate) name: Option<String>,
        pub(crate) first_click_id: Option<Uuid>,
        pub(crate) leads: i32,
        pub(crate) sales: i32,
        created_at: jiff_sqlx::Timestamp,
    }
}

impl Customer {
    /// When it was created.
    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at.to_jiff()
    }
}

impl Stored for Customer {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = COUNT;
    type Filter = ();

    fn bind((): &(), statement: Bound) -> Bound {
        statement
    }
}

/// What a caller says about a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) external_id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}

/// The customer with that external id, created if necessary, and locked. The data of a known one
/// stay as they are, because the caller may be anyone who has a click.
pub(crate) async fn find_or_insert(
    tx: &mut Tx<'_>,
    (id, workspace_id): (Uuid, Uuid),
    person: &Person,
    now: Timestamp,
) -> sqlx::Result<Customer> {
    written(FIND_OR_INSERT, (id, workspace_id), person, now)
        .fetch_one(&mut **tx)
        .await
}

/// Creates a customer; `None` when the external id is taken.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    (id, workspace_id): (Uuid, Uuid),
    person: &Person,
    now: Timestamp,
) -> sqlx::Result<Option<Customer>> {
    written(INSERT, (id, workspace_id), person, now)
        .fetch_optional(&mut **tx)
        .await
}

type Written<'q> = sqlx::query::QueryAs<'q, sqlx::Postgres, Customer, sqlx::postgres::PgArguments>;

fn written<'q>(
    statement: &'static str,
    (id, workspace_id): (Uuid, Uuid),
    person: &'q Person,
    now: Timestamp,
) -> Written<'q> {
    sqlx::query_as(statement)
        .bind(id)
        .bind(workspace_id)
        .bind(person.external_id.as_deref())
        .bind(person.email.as_deref())
        .bind(person.name.as_deref())
        .bind(now.to_sqlx())
}

/// Notes a conversion of a customer.
pub(crate) async fn note_conversion(
    tx: &mut Tx<'_>,
    id: Uuid,
    click: Option<ClickId>,
    (leads, sales): (i32, i32),
) -> sqlx::Result<()> {
    sqlx::query(NOTE_CONVERSION)
        .bind(id)
        .bind(click.map(|click| click.0))
        .bind(leads)
        .bind(sales)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A customer by the owner's id.
pub(crate) async fn find_external(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
    external_id: &str,
) -> sqlx::Result<Option<Customer>> {
    sqlx::query_as(FIND_EXTERNAL)
        .bind(workspace_id)
        .bind(external_id)
        .fetch_optional(executor)
        .await
}

/// How many customers a workspace has.
pub(crate) async fn count(executor: impl PgExecutor<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(executor, COUNT, workspace_id).await
}

/// Erases the personal data of a customer; false when another request has done so.
pub(crate) async fn erase(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<bool> {
    let erased = sqlx::query(ERASE)
        .bind(id)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(erased.rows_affected() == 1)
}
