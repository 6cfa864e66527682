//! Rows in the binary format of `COPY`.
//!
//! The format is in the manual of PostgreSQL, `COPY`, "Binary Format": a header, for each row the
//! number of its columns and each value with its length, and a trailer. The server converts no value,
//! so the bound type of a column must be the type of the column in the table.

use sqlx::{Encode, Postgres, encode::IsNull, error::BoxDynError, postgres::PgArgumentBuffer};

/// Signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a number of columns.
const TRAILER: [u8; 2] = (-1i16).to_be_bytes();
/// In place of a length.
const NULL: [u8; 4] = (-1i32).to_be_bytes();

/// Rows for `COPY`.
#[derive(Debug)]
pub struct Copied {
    buffer: PgArgumentBuffer,
    columns: [u8; 2],
}

impl Copied {
    /// No rows yet; each will have this number of columns.
    ///
    /// # Errors
    /// When a table cannot have so many.
    pub fn of(columns: usize) -> Result<Self, BoxDynError> {
        let columns = i16::try_from(columns)?.to_be_bytes();
        let mut buffer = PgArgumentBuffer::default();
        buffer.extend_from_slice(HEADER);
        Ok(Self { buffer, columns })
    }

    /// Begins a row.
    pub fn begin_row(&mut self) {
        self.buffer.extend_from_slice(&self.columns);
    }

    /// Adds the next value of the row.
    ///
    /// # Errors
    /// When the value has no binary form, or has more than 2 GiB.
    pub fn put<'v>(&mut self, value: impl Encode<'v, Postgres>) -> Result<(), BoxDynError> {
        let place = self.buffer.len();
        self.buffer.extend_from_slice(&NULL);
        if let IsNull::No = value.encode(&mut self.buffer)? {
            let length = self.buffer.len().saturating_sub(place + NULL.len());
            let length = i32::try_from(length)?.to_be_bytes();
            let slot = self.buffer.get_mut(place..place + NULL.len());
            slot.ok_or("the buffer has lost a value")?
                .copy_from_slice(&length);
        }
        Ok(())
    }

    /// The bytes for the server.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.buffer.extend_from_slice(&TRAILER);
        std::mem::take(&mut *self.buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_documented_bytes() {
        let mut rows = Copied::of(3).unwrap();
        rows.begin_row();
        rows.put(258i32).unwrap();
        rows.put(None::<i64>).unwrap();
        rows.put("ab").unwrap();
        let rest = [
            &b"\0\x03"[..],
            b"\0\0\0\x04\0\0\x01\x02",
            b"\xff\xff\xff\xff",
            b"\0\0\0\x02ab",
            b"\xff\xff",
        ];
        assert_eq!(rows.finish(), [HEADER, &rest.concat()].concat());
        assert_eq!(HEADER.len(), 19);
    }
}
