//! One Parquet file that is being written.

use super::{
    rows::{Cell, Rows},
    table::Table,
};
use parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
};
use std::{fs::File, io, path::PathBuf, sync::Arc};

/// Why files cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    System { path: PathBuf, error: io::Error },
    /// The files would not be a consistent whole.
    #[error("{0}")]
    Refused(String),
    /// Parquet's writer refuses, or cannot write.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// Names the path of a system error.
pub(super) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> FileError {
    let path = path.into();
    |error| FileError::System { path, error }
}

/// A file, and the rows of its next row group.
pub(super) struct OpenFile {
    table: Arc<Table>,
    writer: SerializedFileWriter<File>,
    rows: Rows,
    last_used: u64,
}

impl OpenFile {
    pub(super) fn new(table: Arc<Table>, file: File) -> Result<Self, FileError> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let properties = Arc::new(properties.build());
        let writer = SerializedFileWriter::new(file, table.schema()?, properties)?;
        Ok(Self {
            rows: Rows::new(table.columns()),
            table,
            writer,
            last_used: 0,
        })
    }

    /// Takes a row and returns its bytes; `now` orders the uses of files.
    pub(super) fn push(&mut self, cells: Vec<Cell>, now: u64) -> usize {
        self.last_used = now;
        self.rows.push(cells)
    }

    pub(super) const fn last_used(&self) -> u64 {
        self.last_used
    }

    /// How many rows wait.
    pub(super) const fn rows(&self) -> usize {
        self.rows.count()
    }

    /// How many bytes the waiting rows take.
    pub(super) const fn bytes(&self) -> usize {
        self.rows.bytes()
    }

    /// Writes the waiting rows and returns the bytes that they took.
    pub(super) fn write_group(&mut self) -> Result<usize, FileError> {
        let rows = std::mem::replace(&mut self.rows, Rows::new(self.table.columns()));
        if rows.count() == 0 {
            return Ok(0);
        }
        let mut group = self.writer.next_row_group()?;
        let mut index = 0;
        while let Some(mut column) = group.next_column()? {
            rows.write(index, column.untyped())?;
            column.close()?;
            index += 1;
        }
        group.close()?;
        Ok(rows.bytes())
    }

    /// Completes the file. It is on the disk afterwards.
    pub(super) fn close(mut self) -> Result<(), FileError> {
        self.write_group()?;
        let file = self.writer.into_inner()?;
        file.sync_all().map_err(at(self.table.name()))
    }
}
