//! Rows that wait for their row group, column by column.

use super::columns::{Column, Form};
use parquet::{
    column::writer::ColumnWriter,
    data_type::ByteArray,
    errors::{ParquetError, Result},
};

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// None.
    Absent,
    /// Text, JSON included.
    Text(String),
    /// Bytes that are not text.
    Bytes(Vec<u8>),
    /// A whole number, or a moment in microseconds.
    Whole(i64),
    /// A floating-point number.
    Number(f64),
    /// True or false.
    Flag(bool),
}

impl Cell {
    /// About how much memory it takes while it waits.
    fn bytes(&self) -> usize {
        let content = match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        content + size_of::<ByteArray>() + size_of::<i16>()
    }
}

/// The values of one column, and for each row whether it has one (1) or not (0).
struct Values {
    present: Vec<i16>,
    data: Data,
}

enum Data {
    Bytes(Vec<ByteArray>),
    Whole(Vec<i64>),
    Number(Vec<f64>),
    Flag(Vec<bool>),
}

/// The rows.
pub(super) struct Rows {
    columns: Vec<Values>,
    count: usize,
    bytes: usize,
}

impl Rows {
    pub(super) fn new(columns: &[Column]) -> Self {
        let values = |column: &Column| Values {
            present: Vec::new(),
            data: match column.form {
                Form::Text | Form::Json | Form::Bytes => Data::Bytes(Vec::new()),
                Form::Time | Form::Whole => Data::Whole(Vec::new()),
                Form::Number => Data::Number(Vec::new()),
                Form::Flag => Data::Flag(Vec::new()),
            },
        };
        Self {
            columns: columns.iter().map(values).collect(),
            count: 0,
            bytes: 0,
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a row and returns the bytes that it takes.
    pub(super) fn push(&mut self, cells: Vec<Cell>) -> usize {
        let bytes = cells.iter().map(Cell::bytes).sum();
        for (values, cell) in self.columns.iter_mut().zip(cells) {
            values.push(cell);
        }
        self.count += 1;
        self.bytes += bytes;
        bytes
    }

    /// The writer's columns and these are in one order.
    pub(super) fn write(&self, index: usize, writer: &mut ColumnWriter<'_>) -> Result<()> {
        let wrong = || ParquetError::General("a column has another type".to_owned());
        self.columns.get(index).ok_or_else(wrong)?.write(writer)
    }
}

impl Values {
    fn push(&mut self, cell: Cell) {
        let stored = match (&mut self.data, cell) {
            (Data::Bytes(values), Cell::Text(text)) => {
                values.push(ByteArray::from(text.into_bytes()));
                true
            }
            (Data::Bytes(values), Cell::Bytes(bytes)) => {
                values.push(ByteArray::from(bytes));
                true
            }
            (Data::Whole(values), Cell::Whole(value)) => {
                values.push(value);
                true
            }
            (Data::Number(values), Cell::Number(value)) => {
                values.push(value);
                true
            }
            (Data::Flag(values), Cell::Flag(value)) => {
                values.push(value);
                true
            }
            (_, _) => false,
        };
        self.present.push(i16::from(stored));
    }

    fn write(&self, writer: &mut ColumnWriter<'_>) -> Result<()> {
        let present = Some(self.present.as_slice());
        match (writer, &self.data) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Data::Bytes(values)) => {
                writer.write_batch(values, present, None)?;
            }
            (ColumnWriter::Int64ColumnWriter(writer), Data::Whole(values)) => {
                writer.write_batch(values, present, None)?;
            }
            (ColumnWriter::DoubleColumnWriter(writer), Data::Number(values)) => {
                writer.write_batch(values, present, None)?;
            }
            (ColumnWriter::BoolColumnWriter(writer), Data::Flag(values)) => {
                writer.write_batch(values, present, None)?;
            }
            _ => {
                return Err(ParquetError::General(
                    "a column has another type".to_owned(),
                ));
            }
        }
        Ok(())
    }
}
