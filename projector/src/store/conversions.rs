//! Writes conversions: each with copies of its click's dimensions, and in its latest state.
//!
//! The one rule: a conversion, its click and its changes may be folded in any order. A conversion
//! counts at once, because its click may have been lost. It is noted in `unattributed` and gets the
//! copies when the click is folded. A change stays in `conversion_changes`, from where a conversion
//! that is folded later takes its state.

use super::int4;
use crate::rows::{
    AgentColumns, ClickRow, ConversionChangeRow, ConversionRow, OpenedColumns, PlaceColumns, Rows,
    SourceColumns, UtmColumns,
    columns::{Columns, insert_into, names, unnest},
};
use jiff_sqlx::ToSqlx;
use schemas::{ClickId, ConversionId, WorkspaceNo, routed::click_time};
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};
use uuid::Uuid;

pub(super) fn statements() -> Vec<&'static str> {
    vec![&INSERT, &ATTRIBUTE, &KEEP_CHANGES, &CHANGE]
}

/// The columns of a click that its conversions copy.
static COPIED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let groups = [
        OpenedColumns::COLUMNS,
        SourceColumns::COLUMNS,
        UtmColumns::COLUMNS,
        PlaceColumns::COLUMNS,
        AgentColumns::COLUMNS,
    ];
    let whole = groups.concat().into_iter().map(|(name, _)| name);
    let others = ["campaign_id", "rule_id", "qr_id", "short_code", "host"];
    whole.chain(others).collect()
});

fn copied(as_text: impl Fn(&str) -> String) -> String {
    let columns: Vec<String> = COPIED.iter().map(|name| as_text(name)).collect();
    columns.join(", ")
}

/// The id of a click has the millisecond of its time, so one partition is read.
pub(super) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let own = ConversionRow::COLUMNS;
    let given: Vec<String> = own
        .iter()
        .map(|(name, _)| match *name {
            "visible_seq" => "greatest(given.visible_seq, click.seq)".to_owned(),
            "status" | "usd_micros" | "rate_day" => {
                format!("coalesce(changed.{name}, given.{name})")
            }
            name => format!("given.{name}"),
        })
        .collect();
    format!(
        "
WITH added AS (
    INSERT INTO conversions ({own}, version, refunded_minor, {copies})
    SELECT {given}, coalesce(changed.version, 1), coalesce(changed.refunded_minor, 0), {of_click}
    FROM {unnest} AS given ({own})
    LEFT JOIN conversion_changes AS changed
        ON changed.workspace_no = given.workspace_no
        AND changed.conversion_id = given.conversion_id
    LEFT JOIN LATERAL (
        SELECT seq, {copies}
        FROM hits
        WHERE workspace_no = given.workspace_no
          AND click_id = given.click_id
          AND occurred_at >= given.clicked_at
          AND occurred_at < given.clicked_at + interval '1 millisecond'
        ORDER BY seq
        LIMIT 1
    ) AS click ON true
    RETURNING workspace_no, click_id, seq, occurred_at, link_id
)
INSERT INTO unattributed (workspace_no, click_id, seq, occurred_at)
SELECT workspace_no, click_id, seq, occurred_at
FROM added
WHERE click_id IS NOT NULL AND link_id IS NULL",
        own = names(own),
        given = given.join(", "),
        copies = copied(str::to_owned),
        of_click = copied(|name| format!("click.{name}")),
        unnest = unnest(own),
    )
});

/// Gives the copies to conversions that were folded before their click. `unattributed` is almost
/// empty, so a click costs one look-up in a small index.
pub(super) static ATTRIBUTE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
WITH found AS (
    DELETE FROM unattributed
    USING UNNEST($1::int4[], $2::uuid[], $3::int8[], $4::timestamptz[])
        AS clicks (workspace_no, click_id, seq, occurred_at)
    WHERE unattributed.workspace_no = clicks.workspace_no
      AND unattributed.click_id = clicks.click_id
    RETURNING unattributed.workspace_no, unattributed.seq, unattributed.occurred_at,
        clicks.seq AS click_seq, clicks.occurred_at AS clicked_at
)
UPDATE conversions
SET visible_seq = greatest(conversions.visible_seq, hits.seq), {copies}
FROM found
JOIN hits
    ON hits.workspace_no = found.workspace_no
    AND hits.seq = found.click_seq
    AND hits.occurred_at = found.clicked_at
WHERE conversions.workspace_no = found.workspace_no
  AND conversions.seq = found.seq
  AND conversions.occurred_at = found.occurred_at",
        copies = copied(|name| format!("{name} = hits.{name}")),
    )
});

pub(super) static KEEP_CHANGES: LazyLock<String> = LazyLock::new(|| {
    let columns = ConversionChangeRow::COLUMNS;
    let set: Vec<String> = columns
        .iter()
        .skip(2)
        .map(|(name, _)| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "{insert}
ON CONFLICT (workspace_no, conversion_id) DO UPDATE
SET {set}
WHERE conversion_changes.version < excluded.version",
        insert = insert_into("conversion_changes", &[columns]),
        set = set.join(", "),
    )
});

/// The comparison of times lets the server read one partition.
pub(super) static CHANGE: LazyLock<String> = LazyLock::new(|| {
    let columns = ConversionChangeRow::COLUMNS;
    format!(
        "
UPDATE conversions
SET status = changed.status,
    version = changed.version,
    refunded_minor = changed.refunded_minor,
    usd_micros = coalesce(changed.usd_micros, conversions.usd_micros),
    rate_day = coalesce(changed.rate_day, conversions.rate_day)
FROM {unnest} AS changed ({names})
WHERE conversions.workspace_no = changed.workspace_no
  AND conversions.conversion_id = changed.conversion_id
  AND conversions.occurred_at = changed.converted_at
  AND conversions.version < changed.version",
        unnest = unnest(columns),
        names = names(columns),
    )
});

/// Writes the conversions and changes of a batch, whose clicks must be in the table.
pub(super) async fn insert(connection: &mut PgConnection, rows: &Rows) -> sqlx::Result<()> {
    attribute(connection, &rows.clicks).await?;
    let changes = latest(&rows.conversion_changes);
    super::execute(connection, &KEEP_CHANGES, &changes).await?;
    super::execute(connection, &CHANGE, &changes).await?;
    super::execute(connection, &INSERT, &rows.conversions).await
}

/// The latest change of each conversion.
fn latest(changes: &[ConversionChangeRow]) -> Vec<ConversionChangeRow> {
    let mut latest: HashMap<(WorkspaceNo, ConversionId), &ConversionChangeRow> = HashMap::new();
    for change in changes {
        let known = latest
            .entry((change.workspace_no, change.conversion_id))
            .or_insert(change);
        if known.version < change.version {
            *known = change;
        }
    }
    latest.into_values().cloned().collect()
}

/// Gives these clicks to the conversions that are folded already.
async fn attribute(connection: &mut PgConnection, clicks: &[ClickRow]) -> sqlx::Result<()> {
    let mut first: BTreeMap<(WorkspaceNo, ClickId), &ClickRow> = BTreeMap::new();
    for row in clicks {
        let Some(id) = row.click.click_id else {
            continue;
        };
        // The same condition as that of a conversion that comes after its click.
        let millis = row.click.occurred_at.as_millisecond();
        if click_time(id).is_some_and(|at| at.as_millisecond() == millis) {
            let known = first.entry((row.click.workspace_no, id)).or_insert(row);
            if row.click.seq < known.click.seq {
                *known = row;
            }
        }
    }
    if first.is_empty() {
        return Ok(());
    }
    let workspaces = first.keys().map(|(no, _)| int4(*no));
    let ids = first.keys().map(|(_, id)| id.0);
    let seqs = first.values().map(|row| row.click.seq);
    let times = first.values().map(|row| row.click.occurred_at.to_sqlx());
    sqlx::query(ATTRIBUTE.as_str())
        .bind(workspaces.collect::<Vec<i32>>())
        .bind(ids.collect::<Vec<Uuid>>())
        .bind(seqs.collect::<Vec<i64>>())
        .bind(times.collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
