//! The expected answer as a file of comma-separated values, by the report's shape.

use super::ask::Ask;
use api::catalog::{Entity, Field, Shape};
use serde_json::{Map, Value};

/// The answer as lines of cells, below a line with the columns' names.
pub(crate) fn file(ask: &Ask, data: &Map<String, Value>) -> String {
    let shape = ask.shape();
    let (names, fields, list): (Vec<&str>, &[Field], Option<&str>) = match shape {
        Shape::Choice(_) | Shape::Board(_) => panic!("not a file"),
        Shape::Total(total) => (Vec::new(), total.metrics, None),
        Shape::Series(series) => {
            let by = series.by.map(|(name, _)| name);
            let names = [series.label].into_iter().chain(by).collect();
            (names, series.metrics, Some(series.list))
        }
        Shape::Breakdown(breakdown) => {
            let names = vec![breakdown.label];
            (names, breakdown.metrics, Some(breakdown.list))
        }
        Shape::Ranking(ranking) => match ranking.entity {
            Entity::Link => (
                vec!["id", "title", "url"],
                ranking.metrics,
                Some(ranking.list),
            ),
        },
    };
    let mut columns = names;
    columns.extend(fields.iter().map(|field| field.name));
    if let Shape::Total(total) = shape {
        columns.extend(total.echo.iter().map(|param| ask.report.param_name(*param)));
    }
    let whole = Value::Object(data.clone());
    let lines = match list {
        None => vec![whole],
        Some(list) => data[list].as_array().unwrap().clone(),
    };
    let mut text = columns.join(",") + "\n";
    for line in lines {
        let cells = columns.iter().map(|column| match &line[*column] {
            Value::String(text) => cell(text),
            number => number.to_string(),
        });
        text += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

/// Neutralises a formula at the start of a cell or after a semicolon.
fn cell(text: &str) -> String {
    let parts = text.split(';').map(|part| match part.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{part}"),
        _ => part.to_owned(),
    });
    let text = parts.collect::<Vec<_>>().join(";");
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
