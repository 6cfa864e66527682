//! Turns a record of the log into a row of its data set.

use super::{
    super::record,
    columns::{self, Column, Form},
    rows::Cell,
    table::Table,
};
use jiff::Timestamp;
use rdkafka::Message;
use schemas::{Event, Kind, events::json_schema};
use serde_json::Value;
use std::sync::Arc;

/// The data set of records that are not in that of a type.
const OTHER: &str = "other";

/// A row, and the data set that it belongs to. The cells are in the order of its columns.
pub(super) struct Row {
    pub(super) table: Arc<Table>,
    pub(super) cells: Vec<Cell>,
}

/// All data sets.
pub(super) struct Tables {
    types: Vec<(Kind, Arc<Table>)>,
    other: Arc<Table>,
}

/// The columns that say where in the log a record is. They begin every data set. Their prefix
/// avoids words that SQL reserves, such as `offset`.
fn of_log() -> Vec<Column> {
    vec![
        Column::of_log("log_key", Form::Text),
        Column::of_log("log_partition", Form::Whole),
        Column::of_log("log_offset", Form::Whole),
        Column::of_log("log_time", Form::Time),
    ]
}

impl Tables {
    pub(super) fn new() -> Self {
        let table = |kind: Kind| {
            let mut columns = of_log();
            columns.extend(columns::of(&json_schema::of_event(kind)));
            (kind, Arc::new(Table::new(kind.name(), columns)))
        };
        let mut columns = of_log();
        columns.push(Column::of_log("log_headers", Form::Json));
        columns.push(Column::of_log("value_text", Form::Text));
        columns.push(Column::of_log("value_bytes", Form::Bytes));
        Self {
            types: Kind::ALL.into_iter().map(table).collect(),
            other: Arc::new(Table::new(OTHER, columns)),
        }
    }

    pub(super) fn row(&self, record: &impl Message) -> Row {
        let mut cells = vec![
            record.key().map_or(Cell::Absent, |key| {
                Cell::Text(String::from_utf8_lossy(key).into_owned())
            }),
            Cell::Whole(record.partition().into()),
            Cell::Whole(record.offset()),
            record
                .timestamp()
                .to_millis()
                .map_or(Cell::Absent, |ms| Cell::Whole(ms.saturating_mul(1_000))),
        ];
        if let Some((table, members)) = self.event(record.payload().unwrap_or_default()) {
            cells.extend(members);
            let table = Arc::clone(table);
            return Row { table, cells };
        }
        let headers = record::headers(record);
        cells.push(match serde_json::to_string(&headers) {
            Ok(text) if !headers.is_empty() => Cell::Text(text),
            _ => Cell::Absent,
        });
        cells.extend(match record.payload().map(<[u8]>::to_vec) {
            None => [Cell::Absent, Cell::Absent],
            Some(bytes) => match String::from_utf8(bytes) {
                Ok(text) => [Cell::Text(text), Cell::Absent],
                Err(error) => [Cell::Absent, Cell::Bytes(error.into_bytes())],
            },
        });
        let table = Arc::clone(&self.other);
        Row { table, cells }
    }

    /// The members of an event, if this build can read it and the columns can hold it.
    fn event(&self, payload: &[u8]) -> Option<(&Arc<Table>, Vec<Cell>)> {
        // Decides as the projector does.
        let kind = Event::from_bytes(payload).ok()?.body.kind();
        let (_, table) = self.types.iter().find(|(known, _)| *known == kind)?;
        let value: Value = serde_json::from_slice(payload).ok()?;
        let members = table
            .columns()
            .iter()
            .filter(|column| !column.path.is_empty());
        let cells: Option<Vec<Cell>> = members.map(|column| cell(&value, column)).collect();
        Some((table, cells?))
    }
}

/// The value of a column, or `None` if the column cannot hold it.
fn cell(record: &Value, column: &Column) -> Option<Cell> {
    let mut value = record;
    for part in &column.path {
        match value.get(part) {
            Some(member) => value = member,
            None => return Some(Cell::Absent),
        }
    }
    if value.is_null() {
        return Some(Cell::Absent);
    }
    Some(match column.form {
        Form::Text => Cell::Text(value.as_str()?.to_owned()),
        Form::Json => Cell::Text(value.to_string()),
        Form::Time => {
            let time: Timestamp = value.as_str()?.parse().ok()?;
            Cell::Whole(time.as_microsecond())
        }
        Form::Whole => Cell::Whole(value.as_i64()?),
        Form::Number => Cell::Number(value.as_f64()?),
        Form::Flag => Cell::Flag(value.as_bool()?),
        Form::Bytes => return None,
    })
}
