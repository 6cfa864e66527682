//! Writes a plan as one statement on raw rows, so that all its numbers show one moment.

use super::{
    counted::{write_scope, write_where},
    leaders,
    sql::{Sql, Value},
    terms::{OF_VISIT, column_of, write_label, write_measures, write_predicate, write_prices},
};
use crate::sources::{Filter, Kept, Plan, Rows, plan::OfFact};
use schemas::analytics::{Fact, Predicate, Reach, Visit, facts::VISITS};

/// The statement of a plan. Its columns are the totals, then the slot, the label and the measures
/// of a row.
pub(super) fn write(plan: &Plan) -> Sql {
    let mut sql = Sql::default();
    if let Some(of_each) = &plan.leaders {
        leaders::write(&mut sql, of_each, &plan.filter);
        return sql;
    }
    match &plan.rows {
        None => write_totals(&mut sql, plan),
        Some(rows) if plan.totals.is_empty() => write_rows(&mut sql, rows, &plan.filter),
        Some(rows) => {
            // An outer join, so that the totals appear even without rows.
            sql.push("SELECT totals.*, ranked.*\nFROM (\n");
            write_totals(&mut sql, plan);
            sql.push("\n) AS totals\nLEFT JOIN (\n");
            write_rows(&mut sql, rows, &plan.filter);
            sql.push("\n) AS ranked ON true");
            // Qualified, because a total may have the name of a measure.
            write_order(&mut sql, rows, "ranked.");
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
        write_measures(sql, &measures, fact, &plan.filter);
        sql.push("\nFROM ").push(fact.table);
        write_prices(sql, &measures, &plan.filter);
        write_where(sql, fact, &plan.filter);
        sql.push("\n) AS ").push(fact.id);
    }
}

fn write_rows(sql: &mut Sql, rows: &Rows, filter: &Filter) {
    match rows.parts.as_slice() {
        [part] => write_part(sql, rows, part, filter),
        parts => write_joined(sql, rows, parts, filter),
    }
    write_order(sql, rows, "");
    if let Some(top) = rows.top {
        sql.push("\nLIMIT ").bind(Value::Int8(top.into()));
    }
}

/// Rows whose numbers come from several facts. A row without any of one fact has zeros there.
fn write_joined(sql: &mut Sql, rows: &Rows, parts: &[OfFact], filter: &Filter) {
    sql.push("SELECT slot, label");
    for measure in rows.measures() {
        sql.push(", coalesce(")
            .push(measure.id)
            .push(", 0) AS ")
            .push(measure.id);
    }
    for (index, part) in parts.iter().enumerate() {
        sql.push(if index == 0 {
            "\nFROM (\n"
        } else {
            "\nFULL JOIN (\n"
        });
        write_part(sql, rows, part, filter);
        sql.push("\n) AS ").push(part.0.id);
        if index > 0 {
            sql.push(" USING (slot, label)");
        }
    }
}

fn write_part(sql: &mut Sql, rows: &Rows, (fact, measures): &OfFact, filter: &Filter) {
    let reach = rows.by.as_ref().and_then(|by| by.dimension.on(fact));
    sql.push("SELECT ");
    match &rows.timeline {
        // The number of the last edge before the row, counted from 1.
        Some(timeline) => sql
            .push("width_bucket(")
            .push(fact.time)
            .push(", ")
            .bind(Value::Instants(timeline.edges.clone()))
            .push("::timestamptz[])"),
        None => sql.push("0"),
    };
    sql.push(" AS slot, ");
    let column = reach.and_then(column_of);
    match (&rows.by, column) {
        (Some(by), Some(column)) => write_label(sql, by, column),
        _ => {
            sql.push("''");
        }
    }
    // Byte order, so that ties do not depend on the database's collation.
    sql.push(" COLLATE \"C\" AS label, ");
    write_measures(sql, measures, fact, filter);
    sql.push("\nFROM ").push(fact.table);
    if let Some(Reach::Visit(column)) = reach {
        write_visits(sql, fact, column, filter);
    }
    write_prices(sql, measures, filter);
    write_where(sql, fact, filter);
    if let (Some(by), Some(column)) = (&rows.by, column) {
        let present = Predicate::Present(column);
        // The fact's own predicates may already exclude rows without a value.
        let known = fact.predicates_within(None).contains(&present);
        if !matches!(by.values, Kept::All) && !known {
            sql.push("\n  AND ");
            write_predicate(sql, present);
        }
    }
    sql.push("\nGROUP BY 1, 2");
}

/// Joins one column of the visits to a fact that knows its visit. An outer join: a row whose visit
/// is not found still counts, as one without a value. No table of facts has columns with these two
/// names.
fn write_visits(sql: &mut Sql, fact: &Fact, column: &'static str, filter: &Filter) {
    let (Visit::By(by), Visit::Itself(id)) = (fact.visit, VISITS.visit) else {
        return;
    };
    sql.push("\nLEFT JOIN (\n    SELECT ")
        .push(id)
        .push(" AS visit_id, ")
        .push(column)
        .push(" AS ")
        .push(OF_VISIT)
        .push("\n    FROM ")
        .push(VISITS.table)
        .push("\n    WHERE ");
    write_scope(sql, &VISITS, filter);
    sql.push("\n) AS visit ON visit_id = ").push(by);
}

fn write_order(sql: &mut Sql, rows: &Rows, of: &'static str) {
    sql.push("\nORDER BY ");
    if rows.timeline.is_some() {
        sql.push(of).push("slot ASC, ");
    } else if let Some(first) = rows.measures().first() {
        sql.push(of).push(first.id).push(" DESC, ");
    }
    sql.push(of).push("label ASC");
}
