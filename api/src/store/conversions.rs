//! Conversions, and what is known about repeats.

use super::{Statement, Tx, row::row, statements};
use jiff::{SignedDuration, Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use schemas::{
    ClickId, ConversionId,
    events::{AttributedBy, ConversionClass, ConversionSource, ConversionStatus, SaleType},
    money::Currency,
};
use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    WORKSPACE,
    LOCK_CLICK,
    OF_ORDER,
    SAME_LEAD,
    SAME_PIXEL,
    COUNT_OF_CLICK,
    INSERT,
    FIND,
    LOCK,
    UPDATE,
    UNCONVERTED,
    THESE,
    OF_CUSTOMER,
    FORGET_METADATA
];

pub(super) const WORKSPACE: &str = "\
SELECT id
FROM workspaces
WHERE no = $1
  AND ended_at IS NULL";

// Calls for one click wait for each other, on every instance.
pub(super) const LOCK_CLICK: &str = "SELECT pg_advisory_xact_lock($1)";

pub(super) const OF_ORDER: &str = "\
SELECT *
FROM conversions
WHERE workspace_id = $1
  AND class = $2
  AND order_id = $3";

// A lead of the same person. Without a customer the click stands for the person.
pub(super) const SAME_LEAD: &str = "\
SELECT *
FROM conversions
WHERE workspace_id = $1
  AND class = 'lead'
  AND event_name = $2
  AND occurred_at > $5
  AND occurred_at < $6
  AND CASE WHEN $3::uuid IS NULL THEN click_id = $4 ELSE customer_id = $3 END
ORDER BY created_at, id
LIMIT 1";

// Another loading of the same page.
pub(super) const SAME_PIXEL: &str = "\
SELECT *
FROM conversions
WHERE click_id = $1
  AND source = 'pixel'
  AND order_id IS NULL
  AND event_name = $2
  AND amount_minor IS NOT DISTINCT FROM $3
  AND currency IS NOT DISTINCT FROM $4
  AND occurred_at > $5
  AND occurred_at < $6
ORDER BY created_at, id
LIMIT 1";

pub(super) const COUNT_OF_CLICK: &str = "\
SELECT count(*)
FROM conversions
WHERE click_id = $1
  AND attributed_by = 'click'";

pub(super) const INSERT: &str = "\
INSERT INTO conversions (
    id, workspace_id, class, event_name, click_id, attributed_by, customer_id, status, sale_type, source,
    amount_minor, currency, usd_micros, rate_day, order_id, metadata, occurred_at, created_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (workspace_id, class, order_id) WHERE order_id IS NOT NULL DO NOTHING
RETURNING *";

pub(super) const FIND: &str = "\
SELECT *
FROM conversions
WHERE workspace_id = $1
  AND id = $2";

pub(super) const LOCK: &str = "\
SELECT *
FROM conversions
WHERE workspace_id = $1
  AND id = $2
FOR UPDATE";

pub(super) const UPDATE: &str = "\
UPDATE conversions
SET status = $2,
    refunded_minor = $3,
    usd_micros = $4,
    rate_day = $5,
    version = version + 1
WHERE id = $1
RETURNING *";

pub(super) const UNCONVERTED: &str = "\
SELECT conversions.*, workspaces.no AS workspace_no
FROM conversions
JOIN workspaces ON workspaces.id = workspace_id
WHERE amount_minor IS NOT NULL
  AND usd_micros IS NULL
  AND conversions.id > $2
  AND EXISTS (
      SELECT
      FROM fx_rates
      WHERE fx_rates.currency = conversions.currency
        AND day <= (occurred_at AT TIME ZONE 'UTC')::date
  )
ORDER BY conversions.id
LIMIT $1
FOR UPDATE OF conversions SKIP LOCKED";

pub(super) const THESE: &str = "\
SELECT *
FROM conversions
WHERE workspace_id = $1
  AND id = ANY($2)";

pub(super) const OF_CUSTOMER: &str = "\
SELECT *
FROM conversions
WHERE customer_id = $1
ORDER BY occurred_at, id
LIMIT $2";

pub(super) const FORGET_METADATA: &str = "\
UPDATE conversions
SET metadata = '{}'
WHERE customer_id = $1";

row! {
    /// A conversion as it is stored.
    #[derive(Clone, Debug)]
    pub(crate) struct Conversion {
        pub(crate) id: Uuid,
        pub(crate) workspace_id: Uuid,
        class: String,
        pub(crate) event_name: String,
        pub(crate) click_id: Option<Uuid>,
        attributed_by: String,
        pub(crate) customer_id: Option<Uuid>,
        status: String,
        sale_type: Option<String>,
        source: String,
        pub(crate) amount_minor: Option<i64>,
        currency: Option<String>,
        pub(crate) usd_micros: Option<i64>,
        rate_day: Option<jiff_sqlx::Date>,
        pub(crate) refunded_minor: i64,
        pub(crate) order_id: Option<String>,
        pub(crate) metadata: Value,
        occurred_at: jiff_sqlx::Timestamp,
        pub(crate) version: i32,
    }
}

impl Conversion {
    /// When it happened.
    pub(crate) fn occurred_at(&self) -> Timestamp {
        self.occurred_at.to_jiff()
    }

    /// The day of its rate.
    pub(crate) fn rate_day(&self) -> Option<Date> {
        self.rate_day.map(jiff_sqlx::Date::to_jiff)
    }

    /// Its class. Only our own words are written.
    pub(crate) fn class(&self) -> ConversionClass {
        ConversionClass::from_name(&self.class).unwrap_or(ConversionClass::Custom)
    }

    /// Its judgement.
    pub(crate) fn status(&self) -> ConversionStatus {
        ConversionStatus::from_name(&self.status).unwrap_or(ConversionStatus::Pending)
    }

    /// Whether it is its customer's first sale.
    pub(crate) fn sale_type(&self) -> Option<SaleType> {
        self.sale_type.as_deref().and_then(SaleType::from_name)
    }

    /// How it was reported.
    pub(crate) fn source(&self) -> ConversionSource {
        ConversionSource::from_name(&self.source).unwrap_or(ConversionSource::Api)
    }

    /// What leads to its click.
    pub(crate) fn attributed_by(&self) -> AttributedBy {
        AttributedBy::from_name(&self.attributed_by).unwrap_or(AttributedBy::Click)
    }

    /// The currency of its amount.
    pub(crate) fn currency(&self) -> Option<Currency> {
        self.currency.as_deref().and_then(Currency::from_code)
    }

    /// What was given back: all of it when the status says so.
    pub(crate) fn refunded(&self) -> i64 {
        match self.status() {
            ConversionStatus::Refunded => self.amount_minor.unwrap_or_default(),
            _ => self.refunded_minor,
        }
    }
}

/// A conversion as it is written.
#[derive(Clone, Debug)]
pub(crate) struct New<'a> {
    pub(crate) id: ConversionId,
    pub(crate) workspace_id: Uuid,
    pub(crate) class: ConversionClass,
    pub(crate) event_name: &'a str,
    pub(crate) click: Option<ClickId>,
    pub(crate) attributed_by: AttributedBy,
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) sale_type: Option<SaleType>,
    pub(crate) source: ConversionSource,
    pub(crate) amount: Option<(i64, Currency)>,
    pub(crate) usd: Option<(i64, Date)>,
    pub(crate) order_id: Option<&'a str>,
    pub(crate) metadata: &'a Value,
    pub(crate) occurred_at: Timestamp,
}

/// The workspace with that number, unless it is deleted.
pub(crate) async fn find_workspace(
    executor: impl PgExecutor<'_>,
    no: i32,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(WORKSPACE)
        .bind(no)
        .fetch_optional(executor)
        .await
}

/// Waits for other calls for the same click, until this transaction ends.
pub(crate) async fn lock_click(tx: &mut Tx<'_>, click: ClickId) -> sqlx::Result<()> {
    // Of the id's 128 bits, the last 64 differ between clicks.
    let key = i64::from_be_bytes(click.0.as_u64_pair().1.to_be_bytes());
    sqlx::query(LOCK_CLICK).bind(key).execute(&mut **tx).await?;
    Ok(())
}

/// The conversion with that order.
pub(crate) async fn find_order(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    class: ConversionClass,
    order_id: &str,
) -> sqlx::Result<Option<Conversion>> {
    sqlx::query_as(OF_ORDER)
        .bind(workspace_id)
        .bind(class.name())
        .bind(order_id)
        .fetch_optional(&mut **tx)
        .await
}

/// A lead of the same person and name within a time of that one.
pub(crate) async fn find_same_lead(
    tx: &mut Tx<'_>,
    new: &New<'_>,
    within: SignedDuration,
) -> sqlx::Result<Option<Conversion>> {
    let (since, until) = around(new.occurred_at, within);
    sqlx::query_as(SAME_LEAD)
        .bind(new.workspace_id)
        .bind(new.event_name)
        .bind(new.customer_id)
        .bind(new.click.map(|click| click.0))
        .bind(since)
        .bind(until)
        .fetch_optional(&mut **tx)
        .await
}

/// A pixel with the same members within a time of that one.
pub(crate) async fn find_same_pixel(
    tx: &mut Tx<'_>,
    new: &New<'_>,
    within: SignedDuration,
) -> sqlx::Result<Option<Conversion>> {
    let (since, until) = around(new.occurred_at, within);
    sqlx::query_as(SAME_PIXEL)
        .bind(new.click.map(|click| click.0))
        .bind(new.event_name)
        .bind(new.amount.map(|(minor, _)| minor))
        .bind(new.amount.map(|(_, currency)| currency.code()))
        .bind(since)
        .bind(until)
        .fetch_optional(&mut **tx)
        .await
}

fn around(at: Timestamp, within: SignedDuration) -> (jiff_sqlx::Timestamp, jiff_sqlx::Timestamp) {
    let since = at.checked_sub(within).unwrap_or(at);
    let until = at.checked_add(within).unwrap_or(at);
    (since.to_sqlx(), until.to_sqlx())
}

/// How many conversions a click has.
pub(crate) async fn count_of_click(tx: &mut Tx<'_>, click: ClickId) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT_OF_CLICK)
        .bind(click.0)
        .fetch_one(&mut **tx)
        .await
}

/// Writes a conversion; `None` when its order was written meanwhile.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    new: &New<'_>,
    now: Timestamp,
) -> sqlx::Result<Option<Conversion>> {
    sqlx::query_as(INSERT)
        .bind(new.id.0)
        .bind(new.workspace_id)
        .bind(new.class.name())
        .bind(new.event_name)
        .bind(new.click.map(|click| click.0))
        .bind(new.attributed_by.name())
        .bind(new.customer_id)
        .bind(ConversionStatus::Pending.name())
        .bind(new.sale_type.map(SaleType::name))
        .bind(new.source.name())
        .bind(new.amount.map(|(minor, _)| minor))
        .bind(new.amount.map(|(_, currency)| currency.code()))
        .bind(new.usd.map(|(micros, _)| micros))
        .bind(new.usd.map(|(_, day)| day.to_sqlx()))
        .bind(new.order_id)
        .bind(new.metadata)
        .bind(new.occurred_at.to_sqlx())
        .bind(now.to_sqlx())
        .fetch_optional(&mut **tx)
        .await
}

/// A conversion of a workspace.
pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
    id: Uuid,
) -> sqlx::Result<Option<Conversion>> {
    sqlx::query_as(FIND)
        .bind(workspace_id)
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// A conversion of a workspace, locked against other changes.
pub(crate) async fn lock(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    id: Uuid,
) -> sqlx::Result<Option<Conversion>> {
    sqlx::query_as(LOCK)
        .bind(workspace_id)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await
}

/// Writes what may change of a conversion, and raises its version.
pub(crate) async fn update(
    tx: &mut Tx<'_>,
    id: Uuid,
    status: ConversionStatus,
    refunded_minor: i64,
    usd: Option<(i64, Date)>,
) -> sqlx::Result<Conversion> {
    sqlx::query_as(UPDATE)
        .bind(id)
        .bind(status.name())
        .bind(refunded_minor)
        .bind(usd.map(|(micros, _)| micros))
        .bind(usd.map(|(_, day)| day.to_sqlx()))
        .fetch_one(&mut **tx)
        .await
}

/// Locks some conversions without dollars whose day has a rate by now, each with the number of its
/// workspace.
pub(crate) async fn lock_unconverted(
    tx: &mut Tx<'_>,
    limit: i64,
    after: Uuid,
) -> sqlx::Result<Vec<(Conversion, i32)>> {
    let rows = sqlx::query(UNCONVERTED)
        .bind(limit)
        .bind(after)
        .fetch_all(&mut **tx)
        .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let conversion = sqlx::FromRow::from_row(row)?;
        Ok((conversion, sqlx::Row::try_get(row, "workspace_no")?))
    };
    rows.iter().map(read).collect()
}

/// The first conversions of a customer, in the order of time.
pub(crate) async fn list_of_customer(
    executor: impl PgExecutor<'_>,
    customer_id: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Conversion>> {
    sqlx::query_as(OF_CUSTOMER)
        .bind(customer_id)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// Erases what callers added to the conversions of a customer.
pub(crate) async fn forget_metadata(tx: &mut Tx<'_>, customer_id: Uuid) -> sqlx::Result<()> {
    sqlx::query(FORGET_METADATA)
        .bind(customer_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// These conversions, as far as they are the workspace's.
pub(crate) async fn these(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
    ids: &[Uuid],
) -> sqlx::Result<Vec<Conversion>> {
    sqlx::query_as(THESE)
        .bind(workspace_id)
        .bind(ids)
        .fetch_all(executor)
        .await
}
