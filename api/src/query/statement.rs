//! A plan as one statement on raw rows, so that all its numbers are of one moment.

use super::{
    asked::Condition,
    plan::{Filter, Plan, Rows},
    sql::{Sql, Value},
};
use crate::catalog::{Dimension, Fact, Measure, Visit};
use uuid::Uuid;

/// The statement of a plan. Its columns: the totals, then the slot, the label and the measures of a row.
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
    sql.push("SELECT ");
    match &rows.slots {
        // Which of the edges was passed last, counted from 1.
        Some(timeline) => sql
            .push("width_bucket(")
            .push(rows.fact.time)
            .push(", ")
            .bind(Value::Instants(timeline.edges.clone()))
            .push("::timestamptz[])"),
        None => sql.push("0"),
    };
    sql.push(" AS slot, ");
    match rows.dimension {
        // Before grouping, so that rows without a value and those that have the label are one.
        Some(dimension) if rows.with_nulls => sql
            .push("coalesce(")
            .push(dimension.sql)
            .push(", ")
            .bind(Value::Text(dimension.null_label))
            .push(")"),
        Some(dimension) => match &rows.known {
            Some(known) => write_known(sql, dimension, known),
            None => sql.push(dimension.sql),
        },
        None => sql.push("''"),
    };
    // Byte order, so that ties do not depend on the database's collation.
    sql.push(" COLLATE \"C\" AS label, ");
    write_measures(sql, &rows.measures);
    write_source(sql, rows.fact, filter);
    if let Some(dimension) = rows.dimension.filter(|_| !rows.with_nulls) {
        sql.push("\n  AND ")
            .push(dimension.sql)
            .push(" IS NOT NULL");
    }
    sql.push("\nGROUP BY 1, 2");
    write_order(sql, rows);
    if let Some(top) = rows.top {
        sql.push("\nLIMIT ").bind(Value::Int8(top.into()));
    }
}

/// The id where it is a known one, else the nil UUID. Grouped here and not by the program: the ids come
/// from visitors, who may send a new one with every click. As a subquery, so that the server looks
/// each id up in a hash table, whatever plan it has.
fn write_known<'a>(sql: &'a mut Sql, dimension: &Dimension, known: &[Uuid]) -> &'a mut Sql {
    sql.push("(CASE WHEN ")
        .push(dimension.sql)
        .push(" IN (SELECT unnest(")
        .bind(Value::Uuids(known.to_vec()))
        .push("::uuid[])) THEN ")
        .push(dimension.sql)
        .push(" ELSE ")
        .bind(Value::Uuid(Uuid::nil()))
        .push(" END)::text")
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
        .bind(Value::Instant(filter.window.since));
    if let Some(until) = filter.window.until {
        sql.push("\n  AND ")
            .push(fact.time)
            .push(" < ")
            .bind(Value::Instant(until));
    }
    if filter.conditions.is_empty() {
        return;
    }
    match fact.visit {
        Visit::Itself => write_conditions(sql, &filter.conditions),
        Visit::BySession => {
            sql.push("\n  AND session_id IN (\n    SELECT session_id\n    FROM sessions\n    WHERE workspace_no = ")
                .bind(Value::Int4(filter.workspace_no))
                .push("\n  AND ")
                .push(filter.scope.column())
                .push(" = ")
                .bind(Value::Uuid(filter.scope_id));
            write_conditions(sql, &filter.conditions);
            sql.push("\n)");
        }
        // The catalogue offers no filters on these; a test says so.
        Visit::Without => {}
    }
}

fn write_conditions(sql: &mut Sql, conditions: &[Condition]) {
    for condition in conditions {
        if !condition.is.is_empty() {
            sql.push("\n  AND ");
            write_match(sql, condition, &condition.is);
        }
        if !condition.is_not.is_empty() {
            sql.push("\n  AND NOT ");
            write_match(sql, condition, &condition.is_not);
        }
    }
}

/// True or false, never null: a missing value is its label.
fn write_match(sql: &mut Sql, condition: &Condition, values: &[String]) {
    let dimension = condition.dimension;
    sql.push("(coalesce(")
        .push(dimension.sql)
        .push(", ")
        .bind(Value::Text(dimension.null_label))
        .push(") = ANY (")
        .bind(Value::Texts(values.to_vec()))
        .push(")");
    if let Some(also) = dimension.also {
        sql.push(" OR coalesce(")
            .push(also)
            .push(", '') = ANY (")
            .bind(Value::Texts(values.to_vec()))
            .push(")");
    }
    sql.push(")");
}

fn write_order(sql: &mut Sql, rows: &Rows) {
    sql.push("\nORDER BY ");
    if rows.slots.is_some() {
        sql.push("slot ASC, ");
    } else if let Some(first) = rows.measures.first() {
        sql.push(first.id).push(" DESC, ");
    }
    sql.push("label ASC");
}
