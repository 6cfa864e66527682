//! Answers from the tables of facts: one statement a plan, so all numbers show one moment.

mod counted;
mod leaders;
mod sql;
mod statement;
mod terms;

use super::{Answer, Plan, Row, Values};
use schemas::analytics::Measure;
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use std::collections::BTreeMap;

/// Runs the statement of a plan.
pub(super) async fn read(connection: &mut PgConnection, plan: &Plan) -> sqlx::Result<Answer> {
    let rows = statement::write(plan).fetch_all(connection).await?;
    decode(plan, &rows)
}

/// The text of that statement.
pub(super) fn statement_text(plan: &Plan) -> String {
    statement::write(plan).into_text()
}

fn decode(plan: &Plan, found: &[PgRow]) -> sqlx::Result<Answer> {
    let mut answer = Answer::default();
    if let Some(leaders) = &plan.leaders {
        for row in found {
            answer.rows.push(Row {
                bucket: None,
                label: row.try_get(1)?,
                values: values(row, 2, &[leaders.measure])?,
            });
        }
        return Ok(answer);
    }
    let totals = plan.totals_in_order();
    // Every row repeats the totals.
    if let Some(first) = found.first() {
        answer.totals = values(first, 0, &totals)?;
    }
    let Some(rows) = &plan.rows else {
        return Ok(answer);
    };
    let slot_at = totals.len();
    let measures = rows.measures();
    let mut by_bucket = BTreeMap::<(usize, String), Values>::new();
    for row in found {
        // Without rows, the totals come with an empty row.
        let Some(label) = row.try_get::<Option<String>, _>(slot_at + 1)? else {
            continue;
        };
        let values = values(row, slot_at + 2, &measures)?;
        match &rows.timeline {
            None => answer.rows.push(Row {
                bucket: None,
                label,
                values,
            }),
            Some(timeline) => {
                let edge = usize::try_from(row.try_get::<i32, _>(slot_at)?).unwrap_or_default();
                // Edges are counted from 1, and no row of the window is before the first.
                let bucket = timeline.begins.get(edge.saturating_sub(1));
                let bucket = bucket.copied().unwrap_or_default();
                // Several edges may begin the same bucket, as with hours of the week.
                by_bucket.entry((bucket, label)).or_default().add(values);
            }
        }
    }
    if let (true, Some(timeline)) = (rows.filled, &rows.timeline) {
        let end = timeline.buckets.len();
        let first = match (rows.from_first, by_bucket.keys().next()) {
            (false, _) => 0,
            (true, Some((first, _))) => *first,
            // Without rows there is only the present bucket.
            (true, None) => end.saturating_sub(1),
        };
        for bucket in first..end {
            by_bucket.entry((bucket, String::new())).or_default();
        }
    }
    let buckets = rows.timeline.as_ref().map(|timeline| &timeline.buckets);
    for ((bucket, label), values) in by_bucket {
        answer.rows.push(Row {
            bucket: buckets.and_then(|buckets| buckets.get(bucket)).copied(),
            label,
            values,
        });
    }
    Ok(answer)
}

fn values(row: &PgRow, start: usize, measures: &[&'static Measure]) -> sqlx::Result<Values> {
    let value = |(index, measure): (usize, &&'static Measure)| {
        Ok((*measure, row.try_get::<f64, _>(start + index)?))
    };
    measures.iter().enumerate().map(value).collect()
}
