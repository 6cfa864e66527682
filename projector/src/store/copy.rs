//! Rows in PostgreSQL's COPY text format: a tab between columns, a newline after rows, `\N` for null.
//!
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2>

use sqlx::PgConnection;
use std::fmt::{Display, Write};

/// How much is sent at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Rows that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct CopyRows {
    text: String,
    in_row: bool,
}

impl CopyRows {
    /// A column whose text has nothing to escape: numbers, UUIDs, times.
    pub fn value(&mut self, value: impl Display) -> &mut Self {
        self.separate();
        // Writing to a String does not fail.
        let _ = write!(self.text, "{value}");
        self
    }

    /// Like [`Self::value`], or null.
    pub fn optional(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.value(value),
            None => self.null(),
        }
    }

    /// A `bytea` column.
    pub fn bytes(&mut self, value: Option<[u8; 16]>) -> &mut Self {
        let Some(bytes) = value else {
            return self.null();
        };
        self.separate();
        self.text.push_str("\\\\x");
        for byte in bytes {
            let _ = write!(self.text, "{byte:02x}");
        }
        self
    }

    /// A text column.
    pub fn text(&mut self, value: Option<&str>) -> &mut Self {
        let Some(value) = value else {
            return self.null();
        };
        self.separate();
        for character in value.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                other => self.text.push(other),
            }
        }
        self
    }

    fn null(&mut self) -> &mut Self {
        self.separate();
        self.text.push_str("\\N");
        self
    }

    fn separate(&mut self) {
        if self.in_row {
            self.text.push('\t');
        }
        self.in_row = true;
    }

    /// Ends a row.
    pub fn end_row(&mut self) {
        self.text.push('\n');
        self.in_row = false;
    }

    /// Sends the rows with that COPY statement; nothing to send is nothing asked.
    pub async fn send(&self, connection: &mut PgConnection, statement: &str) -> sqlx::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let mut copy = connection.copy_in_raw(statement).await?;
        for chunk in self.text.as_bytes().chunks(CHUNK_BYTES) {
            copy.send(chunk).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_column_or_a_row_is_escaped() {
        let mut rows = CopyRows::default();
        rows.value(1)
            .text(Some("a\tb\\N\n\r"))
            .text(None)
            .bytes(Some([0xab; 16]))
            .optional(None::<i32>)
            .end_row();
        assert_eq!(
            rows.text,
            format!("1\ta\\tb\\\\N\\n\\r\t\\N\t\\\\x{}\t\\N\n", "ab".repeat(16))
        );
    }
}
