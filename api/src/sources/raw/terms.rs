//! Writes terms of the vocabulary as SQL. Only here do measures, conditions and labels become text.

use super::sql::{Sql, Value};
use crate::sources::{By, Condition, Filter, Kept, Price};
use schemas::analytics::{
    Aggregate, Charge, Dimension, Fact, Measure, Predicate, Reach, Stored, TENANT, Values, Visit,
    facts::RECORDED_CLICKS,
};
use uuid::Uuid;

/// Name of a visit's column, joined to the columns of a fact.
pub(super) const OF_VISIT: &str = "visit_value";

/// The measures as columns, each a `float8`, JSON's type of numbers. The rows are those of `fact`.
pub(super) fn write_measures(
    sql: &mut Sql,
    measures: &[&'static Measure],
    fact: &Fact,
    filter: &Filter,
) {
    for (index, measure) in measures.iter().enumerate() {
        if index > 0 {
            sql.push(", ");
        }
        write_measure(sql, measure, fact, filter);
        sql.push("::float8 AS ").push(measure.id);
    }
}

fn write_measure(sql: &mut Sql, measure: &Measure, fact: &Fact, filter: &Filter) {
    // A measure of clicks, read among all page views, counts the clicks only.
    let mut only = filter.kept(measure.fact.predicates_within(Some(fact)));
    let own = measure.only.filter(|own| !only.contains(own));
    only.extend(own);
    let (open, close) = match measure.aggregate {
        Aggregate::Cost(_) if filter.prices.is_empty() => {
            sql.push("0");
            return;
        }
        // Without rows, a sum is null.
        Aggregate::Sum(..) | Aggregate::Cost(_) => ("coalesce(", ", 0)"),
        Aggregate::Latest(_) => ("coalesce(extract(epoch FROM ", ") * 1000000, 0)"),
        Aggregate::Count | Aggregate::Distinct(_) if only.is_empty() => ("", ""),
        Aggregate::Count | Aggregate::Distinct(_) => ("(", ")"),
    };
    sql.push(open);
    match measure.aggregate {
        Aggregate::Count => sql.push("count(*)"),
        Aggregate::Distinct(column) => sql.push("count(DISTINCT ").push(column).push(")"),
        Aggregate::Cost(charge) => write_charge(sql, charge),
        Aggregate::Latest(column) => sql.push("max(").push(column).push(")"),
        Aggregate::Sum(column, Stored::Whole) => sql.push("sum(").push(column).push(")"),
        // A sum of doubles would depend on the order of its rows.
        Aggregate::Sum(column, Stored::Double) => sql.push("sum(").push(column).push("::numeric)"),
    };
    write_only(sql, &only);
    sql.push(close);
}

fn write_charge(sql: &mut Sql, charge: Charge) -> &mut Sql {
    match charge {
        Charge::Click => sql.push("sum(per_click)"),
        Charge::Approval => sql.push("sum(per_approval)"),
        Charge::Share(column) => sql.push("sum(").push(column).push(" * of_revenue)"),
    }
}

/// Joins what campaigns charge to the rows of a fact, if a measure asks for it. The join reads no
/// table, and no table of facts has columns with these names.
pub(super) fn write_prices(sql: &mut Sql, measures: &[&'static Measure], filter: &Filter) {
    let is_cost = |measure: &&Measure| matches!(measure.aggregate, Aggregate::Cost(_));
    if filter.prices.is_empty() || !measures.iter().any(is_cost) {
        return;
    }
    let prices = filter.prices.iter();
    let ids = prices.clone().map(|price| price.campaign_id).collect();
    sql.push("\nLEFT JOIN unnest(")
        .bind(Value::Uuids(ids))
        .push("::uuid[]");
    let texts: [fn(&Price) -> &String; 3] = [
        |price| &price.click,
        |price| &price.approval,
        |price| &price.share,
    ];
    for text in texts {
        let texts = prices.clone().map(|price| text(price).clone()).collect();
        sql.push(", ")
            .bind(Value::Texts(texts))
            .push("::text[]::numeric[]");
    }
    sql.push(
        ") AS prices (charged_by, per_click, per_approval, of_revenue) ON charged_by = campaign_id",
    );
}

fn write_only(sql: &mut Sql, only: &[Predicate]) {
    for (index, predicate) in only.iter().enumerate() {
        sql.push(if index == 0 {
            " FILTER (WHERE "
        } else {
            " AND "
        });
        write_predicate(sql, *predicate);
    }
    if !only.is_empty() {
        sql.push(")");
    }
}

/// The predicate. Its number is text instead of a bound value, so that the planner can match a
/// partial index.
pub(super) fn write_predicate(sql: &mut Sql, predicate: Predicate) {
    match predicate {
        Predicate::Present(column) => sql.push(column).push(" IS NOT NULL"),
        Predicate::True(column) => sql.push(column),
        Predicate::Positive(column) => sql.push(column).push(" > 0"),
        Predicate::Absent(column) => sql.push(column).push(" IS NULL"),
        Predicate::False(column) => sql.push("NOT ").push(column),
        Predicate::Is(column, word) => sql.push(column).push(" = '").push(word).push("'"),
    };
}

/// The value of a dimension as the label of a row.
pub(super) fn write_label(sql: &mut Sql, by: &By, column: &'static str) {
    match &by.values {
        // Replaced before grouping, so that rows without a value share the row of the label.
        Kept::All => write_text(sql, by.dimension, column),
        Kept::Ids => {
            sql.push(column).push("::text");
        }
        // Grouped here and not in the program: visitors send the ids, and may send a new one with
        // every click. A subquery, so that the server looks each id up in a hash table under every
        // plan.
        Kept::Known(known) => {
            sql.push("(CASE WHEN ")
                .push(column)
                .push(" IN (SELECT unnest(")
                .bind(Value::Uuids(known.clone()))
                .push("::uuid[])) THEN ")
                .push(column)
                .push(" ELSE ")
                .bind(Value::Uuid(Uuid::nil()))
                .push(" END)::text");
        }
    }
}

/// The value of a dimension as text, or its label for a missing one.
pub(super) fn write_text(sql: &mut Sql, dimension: &Dimension, column: &'static str) {
    sql.push("coalesce(").push(column);
    if dimension.values == Values::Known {
        sql.push("::text");
    }
    sql.push(", ")
        .bind(Value::Text(dimension.null_label))
        .push(")");
}

/// The column of a dimension within a statement's `FROM`; `None` for one that does not group.
pub(super) const fn column_of(reach: Reach) -> Option<&'static str> {
    match reach {
        Reach::Own(column) => Some(column),
        Reach::Visit(_) => Some(OF_VISIT),
        Reach::Click(_) => None,
    }
}

/// A condition on rows of a fact that has the dimension itself or from its click. True or false,
/// never null, because a missing value counts as its label.
pub(super) fn write_condition(
    sql: &mut Sql,
    condition: &Condition,
    fact: &Fact,
    workspace_no: i32,
) {
    for (values, joint) in [
        (&condition.is, "\n  AND "),
        (&condition.is_not, "\n  AND NOT "),
    ] {
        if !values.is_empty() {
            let dimensions = [Some(condition.dimension), condition.dimension.also];
            sql.push(joint).push("(");
            for (index, dimension) in dimensions.into_iter().flatten().enumerate() {
                if index > 0 {
                    sql.push(" OR ");
                }
                write_match(sql, dimension, (fact, workspace_no), values);
            }
            sql.push(")");
        }
    }
}

fn write_match(
    sql: &mut Sql,
    dimension: &Dimension,
    (fact, workspace_no): (&Fact, i32),
    values: &[String],
) {
    let reach = dimension.on(fact);
    match reach {
        Some(Reach::Own(column)) => {
            sql.push("coalesce(").push(column);
        }
        Some(Reach::Click(column)) => {
            sql.push("coalesce(");
            write_of_click(sql, column, fact, workspace_no);
        }
        Some(Reach::Visit(_)) | None => {
            sql.push("false");
            return;
        }
    }
    // Ids are compared as such. No id is the nil one.
    let (missing, wanted) = if dimension.values == Values::Known {
        let ids = values.iter().map(|value| value.parse().unwrap_or_default());
        (Value::Uuid(Uuid::nil()), Value::Uuids(ids.collect()))
    } else {
        let label = Value::Text(dimension.null_label);
        (label, Value::Texts(values.to_vec()))
    };
    sql.push(", ")
        .bind(missing)
        .push(") = ANY (")
        .bind(wanted)
        .push(")");
}

/// A column of the click of a row. The time of the click is in one month, so the server looks its id
/// up in the index of that month.
fn write_of_click(sql: &mut Sql, column: &'static str, fact: &Fact, workspace_no: i32) {
    let Visit::ByClick { id, at } = fact.visit else {
        sql.push("NULL");
        return;
    };
    let clicks = &RECORDED_CLICKS;
    sql.push("(SELECT ")
        .push(column)
        .push(" FROM ")
        .push(clicks.table)
        .push(" WHERE ")
        .push(TENANT)
        .push(" = ")
        .bind(Value::Int4(workspace_no));
    // The click's own columns hide those of the row, which are named with their table.
    for (own, of_row, rest) in [
        (" = ", id, ""),
        (" >= ", at, ""),
        (" < ", at, " + interval '1 millisecond'"),
    ] {
        let column = if of_row == id { id } else { clicks.time };
        sql.push(" AND ")
            .push(column)
            .push(own)
            .push(fact.table)
            .push(".")
            .push(of_row)
            .push(rest);
    }
    sql.push(" ORDER BY seq LIMIT 1)");
}
