//! Writes the statement that finds the largest value of several dimensions in one pass over the rows.

use super::{
    counted::write_where,
    sql::Sql,
    terms::{column_of, write_measures, write_text},
};
use crate::sources::{Filter, Leaders};

/// Names of the dimensions within the statement, with their numbers. A test of the catalogue checks
/// that no report has more.
const NAMES: [(&str, &str); 8] = [
    ("of_0", "0"),
    ("of_1", "1"),
    ("of_2", "2"),
    ("of_3", "3"),
    ("of_4", "4"),
    ("of_5", "5"),
    ("of_6", "6"),
    ("of_7", "7"),
];

/// The statement. Its columns are the number of the dimension, the value and the measure. Equal
/// numbers leave the value that comes first in the order of bytes.
pub(super) fn write(sql: &mut Sql, leaders: &Leaders, filter: &Filter) {
    let fact = leaders.measure.fact;
    let columns = || NAMES.iter().zip(&leaders.of);
    let names = || columns().map(|((name, _), _)| *name).enumerate();
    sql.push("SELECT DISTINCT ON (slot) slot, label, ")
        .push(leaders.measure.id)
        .push("\nFROM (\nSELECT CASE");
    // Each row of the groups has the value of one dimension, because no value is missing.
    for ((name, number), _) in columns() {
        sql.push(" WHEN ")
            .push(name)
            .push(" IS NOT NULL THEN ")
            .push(number);
    }
    sql.push(" END AS slot, coalesce(");
    for (index, name) in names() {
        sql.push(if index == 0 { "" } else { ", " }).push(name);
    }
    sql.push(") AS label, ");
    write_measures(sql, &[leaders.measure], fact, filter);
    sql.push("\nFROM (\nSELECT ");
    for (index, ((name, _), dimension)) in columns().enumerate() {
        sql.push(if index == 0 { "" } else { ", " });
        match dimension.on(fact).and_then(column_of) {
            Some(column) => write_text(sql, dimension, column),
            None => {
                sql.push("''");
            }
        }
        sql.push(" COLLATE \"C\" AS ").push(name);
    }
    sql.push("\nFROM ").push(fact.table);
    write_where(sql, fact, filter);
    sql.push("\n) AS ")
        .push(fact.id)
        .push("\nGROUP BY GROUPING SETS (");
    for (index, name) in names() {
        sql.push(if index == 0 { "(" } else { ", (" })
            .push(name)
            .push(")");
    }
    sql.push(")\n) AS leaders\nORDER BY slot, ")
        .push(leaders.measure.id)
        .push(" DESC, label ASC");
}
