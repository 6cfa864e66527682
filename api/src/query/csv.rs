//! An answer as a file of comma-separated values (contract 3.8, decisions 7 and 23).
//!
//! The one rule: text that people wrote never begins with what a spreadsheet takes for a formula.

use super::object::{Node, Object};
use crate::catalog::{Entity, Field, Shape};
use runtime::http::ApiError;

/// What begins a formula in some spreadsheet.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The answer with a line of column names. Lines end with `\n`, the last one too.
pub(super) fn write(shape: &Shape, data: &Object) -> Result<String, ApiError> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    let columns = columns(shape);
    let lines: Vec<&Object> = match list(shape) {
        None => vec![data],
        Some(list) => {
            let named = data.members().iter().find(|(name, _)| *name == list);
            match named {
                Some((_, Node::List(rows))) => rows.iter().collect(),
                _ => Vec::new(),
            }
        }
    };
    let failed = |error: csv::Error| ApiError::internal(format!("a line of CSV: {error}"));
    writer.write_record(&columns).map_err(failed)?;
    for line in lines {
        let cells = columns.iter().map(|column| cell(line, column));
        writer.write_record(cells).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| ApiError::internal(format!("the end of CSV: {error}")))?;
    String::from_utf8(bytes).map_err(|error| ApiError::internal(format!("CSV: {error}")))
}

/// The list whose rows are the lines; `None` when the answer itself is the only one.
const fn list(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::Total(_) | Shape::Choice(_) => None,
        Shape::Series(series) => Some(series.list),
        Shape::Breakdown(breakdown) => Some(breakdown.list),
        Shape::Ranking(ranking) => Some(ranking.list),
    }
}

/// The members of a line, in their order.
pub(super) fn columns(shape: &Shape) -> Vec<&'static str> {
    let names = |fields: &'static [Field]| fields.iter().map(|field| field.name);
    match shape {
        Shape::Choice(_) => Vec::new(),
        Shape::Total(total) => {
            let echo = total.echo.iter().map(|param| param.name());
            names(total.metrics).chain(echo).collect()
        }
        Shape::Series(series) => {
            let by = series.by.map(|(name, _)| name);
            let labels = [series.label].into_iter().chain(by);
            labels.chain(names(series.metrics)).collect()
        }
        Shape::Breakdown(breakdown) => [breakdown.label]
            .into_iter()
            .chain(names(breakdown.metrics))
            .collect(),
        Shape::Ranking(ranking) => match ranking.entity {
            Entity::Link => ["id", "title", "url"]
                .into_iter()
                .chain(names(ranking.metrics))
                .collect(),
        },
    }
}

fn cell(line: &Object, column: &str) -> String {
    let found = line.members().iter().find(|(name, _)| *name == column);
    match found {
        Some((_, Node::Text(text))) if text.starts_with(FORMULA_STARTS) => format!("'{text}"),
        Some((_, Node::Text(text))) => text.clone(),
        // Ours: a negative one is a number and no formula.
        Some((_, Node::Number(number))) => serde_json::to_string(number).unwrap_or_default(),
        _ => String::new(),
    }
}
