//! Builds statements from fixed pieces of text and bound values.
//!
//! Only this code runs SQL that is not a constant. The one rule: text is a `&'static str`, so no
//! part of a request can become part of it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{AssertSqlSafe, PgConnection, postgres::PgRow};
use uuid::Uuid;

/// A bound value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Int4(i32),
    Int8(i64),
    Uuid(Uuid),
    Uuids(Vec<Uuid>),
    Instant(Timestamp),
    Instants(Vec<Timestamp>),
    Text(&'static str),
    Texts(Vec<String>),
}

/// A statement under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Adds a fixed piece.
    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value, as the next `$n`.
    pub(super) fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// The text, with `$n` for values.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Runs it.
    pub(super) async fn fetch_all(self, connection: &mut PgConnection) -> sqlx::Result<Vec<PgRow>> {
        let mut query = sqlx::query(AssertSqlSafe(self.text));
        for value in self.values {
            query = match value {
                Value::Int4(number) => query.bind(number),
                Value::Int8(number) => query.bind(number),
                Value::Uuid(id) => query.bind(id),
                Value::Uuids(ids) => query.bind(ids),
                Value::Instant(at) => query.bind(at.to_sqlx()),
                Value::Instants(all) => {
                    let all: Vec<_> = all.into_iter().map(ToSqlx::to_sqlx).collect();
                    query.bind(all)
                }
                Value::Text(text) => query.bind(text),
                Value::Texts(texts) => query.bind(texts),
            };
        }
        query.fetch_all(connection).await
    }
}
