//! An answer as a CSV file.
//!
//! The one rule: in text that people wrote, no cell begins like a formula, wherever a spreadsheet
//! splits the text into cells.

use super::object::{Node, Object};
use crate::catalog::{Entity, Field, Notation, Shape};
use runtime::http::ApiError;
use std::borrow::Cow;

/// Characters that begin a formula in some spreadsheet; the wide forms do in East Asian ones.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
/// Characters that some spreadsheet takes for the end of a cell. The comma is not among them: a
/// text with a comma is quoted, which protects it where commas separate cells. Where other
/// characters separate cells, quotes in the middle of a line do not protect.
const SEPARATORS: [char; 5] = [';', '\t', '|', '\n', '\r'];

/// The answer with a line of column names. Every line ends with `\n`.
pub(super) fn write(shape: &Shape, notation: Notation, data: &Object) -> Result<String, ApiError> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    let columns = columns(shape, notation);
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

/// The list whose rows are the lines; `None` when the answer itself is the only line.
const fn list(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::Total(_) | Shape::Choice(_) | Shape::Board(_) => None,
        Shape::Series(series) => Some(series.list),
        Shape::Breakdown(breakdown) => Some(breakdown.list),
        Shape::Ranking(ranking) => Some(ranking.list),
    }
}

/// The members of a line, in their order.
pub(super) fn columns(shape: &Shape, notation: Notation) -> Vec<&'static str> {
    let names = |fields: &'static [Field]| fields.iter().map(|field| field.name);
    match shape {
        // A board is no table, which a test of the catalogue checks.
        Shape::Choice(_) | Shape::Board(_) => Vec::new(),
        Shape::Total(total) => {
            let echo = total.echo.iter().map(|param| (notation.param)(*param));
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
        Some((_, Node::Text(text))) => neutral(text),
        // Our own number, so a minus begins no formula.
        Some((_, Node::Number(number))) => serde_json::to_string(number).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The text with a `'` before each character that would begin a formula: the first one, and the
/// first after a separator, even after blanks and an opening quote.
fn neutral(text: &str) -> String {
    let mut neutral = String::with_capacity(text.len());
    let (mut begins, mut split) = (true, false);
    for char in text.chars() {
        if begins && FORMULA_STARTS.contains(&char) {
            neutral.push('\'');
        }
        neutral.push(char);
        split |= SEPARATORS.contains(&char);
        begins = SEPARATORS.contains(&char)
            || (begins && split && (char == '"' || char.is_whitespace()));
    }
    neutral
}

/// A text from outside as a cell: neutral, unless it is a plain number, which a reader may need as
/// one.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(whole) && is_number(fraction) {
        return text.into();
    }
    neutral(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_neutral_wherever_a_cell_may_begin() {
        for (text, cell) in [
            ("plain", "plain"),
            ("a=1", "a=1"),
            ("Sale; 20 %", "Sale; 20 %"),
            ("rock-'n'-roll", "rock-'n'-roll"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("@a", "'@a"),
            ("\tx", "'\tx"),
            ("＝1", "'＝1"),
            ("a;=1+1", "a;'=1+1"),
            ("a; =12", "a; '=12"),
            ("a;;-1", "a;;'-1"),
            ("a;\"=1+1&\"", "a;\"'=1+1&\""),
            ("a|@b", "a|'@b"),
            ("a\n=b", "a\n'=b"),
            ("a\r\n+b", "a\r\n'+b"),
            ("a\t=b", "a\t'=b"),
            ("a;＠b", "a;'＠b"),
            ("=a;=b", "'=a;'=b"),
            ("a, -20 %", "a, -20 %"),
        ] {
            assert_eq!(neutral(text), cell, "{text:?}");
        }
    }

    #[test]
    fn plain_numbers_stay_numbers() {
        for text in ["-12.50", "-1", "0", "122.0"] {
            assert_eq!(guarded(text), text);
        }
        for text in [
            "-1+1", "-", "-.", "-1.", "-.5", "-1.2.3", "-1e5", "+1", "-٣",
        ] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
    }

    proptest! {
        #[test]
        fn no_part_of_a_text_begins_like_a_formula(text in "[=+@;|\"a\\t\\r\\n＝-]{0,20}") {
            let neutral = neutral(&text);
            for part in neutral.split([';', '|', '\n']) {
                prop_assert!(!part.starts_with(['=', '+', '-', '@', '＝']), "{:?}", neutral);
            }
            prop_assert!(neutral.replace('\'', "") == text);
        }
    }
}
