//! A plan as one statement on raw rows, so that all its numbers are of one moment.

use super::{
    plan::{Filter, Plan, Rows},
    sql::{Sql, Value},
};
use crate::catalog::{Fact, Measure};

/// The statement of a plan. Its columns: the totals, then the label and the measures of a row.
pub(super) fn write(plan: &Plan) -> Sql {
    let mut sql = Sql::default();
    match &plan.rows {
        None => write_totals(&mut sql, plan),
        Some(rows) if plan.totals.is_empty() => write_rows(&mut sql, rows, &plan.filter),
        Some(rows) => {
            // An outer join: totals are there also when no row is.
            sql.push("SELECT totals.*, ranked.*\nFROM (\n");
            write_totals(&mut sql, plan);
            sql.push("\n) AS totals\nLEFT JOIN (\n");
            write_rows(&mut sql, rows, &plan.filter);
            sql.push("\n) AS ranked ON true");
            write_order(&mut sql, rows);
        }
    }
    sql
}

fn write_totals(sql: &mut Sql, plan: &Plan) {
    sql.push("SELECT *\nFROM ");
    for (index, (fact, measures)) in plan.totals_by_fact().into_iter().enumerate() {
        if index > 0 {
            sql.push("\nCROSS JOIN ");
        }
        sql.push("(\nSELECT ");
        write_measures(sql, measures);
        write_source(sql, fact, &plan.filter);
        sql.push("\n) AS ").push(fact.id);
    }
}

fn write_rows(sql: &mut Sql, rows: &Rows, filter: &Filter) {
    let dimension = rows.dimension;
    sql.push("SELECT ");
    match rows.null_label {
        // Before grouping, so that rows without a value and those that have the label are one.
        Some(label) => sql
            .push("coalesce(")
            .push(dimension.sql)
            .push(", ")
            .bind(Value::Text(label))
            .push(")"),
        None => sql.push(dimension.sql),
    };
    // Byte order, so that ties do not depend on the database's collation.
    sql.push(" COLLATE \"C\" AS label, ");
    write_measures(sql, &rows.measures);
    write_source(sql, dimension.fact, filter);
    if rows.null_label.is_none() {
        sql.push("\n  AND ").push(dimension.present);
    }
    sql.push("\nGROUP BY 1");
    write_order(sql, rows);
    if let Some(top) = rows.top {
        sql.push("\nLIMIT ").bind(Value::Int8(top.into()));
    }
}

fn write_measures(sql: &mut Sql, measures: &[&'static Measure]) {
    for (index, measure) in measures.iter().enumerate() {
        if index > 0 {
            sql.push(", ");
        }
        sql.push(measure.sql).push(" AS ").push(measure.id);
    }
}

/// Where rows come from: the tenant first, which every index begins with.
fn write_source(sql: &mut Sql, fact: &Fact, filter: &Filter) {
    sql.push("\nFROM ")
        .push(fact.table)
        .push("\nWHERE workspace_no = ")
        .bind(Value::Int4(filter.workspace_no));
    if let Some(only) = fact.only {
        sql.push("\n  AND ").push(only);
    }
    sql.push("\n  AND ")
        .push(filter.scope.column())
        .push(" = ")
        .bind(Value::Uuid(filter.scope_id))
        .push("\n  AND ")
        .push(fact.time)
        .push(" >= ")
        .bind(Value::Instant(filter.since));
}

fn write_order(sql: &mut Sql, rows: &Rows) {
    sql.push("\nORDER BY ");
    if let Some(first) = rows.measures.first() {
        sql.push(first.id).push(" DESC, ");
    }
    sql.push("label ASC");
}
