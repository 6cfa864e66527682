//! Classifies database errors: their cause, and their message without any content of rows.

use runtime::database::{LOCK_NOT_AVAILABLE, QUERY_CANCELED};
use sqlx::postgres::PgDatabaseError;

/// The cause of a database error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Another session holds a lock.
    Lock,
    /// The statement took too long.
    Slow,
    /// The content of the batch. The same batch is refused again, but a part of it may be accepted.
    Content,
    /// The server or its network. Every batch fails now, and the same one may succeed later.
    Server,
}

/// Classes of SQLSTATE that do not depend on the content: connection, transaction state,
/// authorization, missing database, rollback, resources, object state, intervention, system,
/// configuration. All other codes count as content, because a trigger may raise any code and a
/// damaged block affects only some rows.
///
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const OF_SERVER: [&str; 10] = ["08", "25", "28", "3D", "40", "53", "55", "57", "58", "F0"];

/// Most characters of a reason.
const MAX_CHARS: usize = 300;

/// Finds the cause of an error.
#[must_use]
pub fn cause(error: &sqlx::Error) -> Cause {
    match error {
        sqlx::Error::Database(error) => match error.code().as_deref().unwrap_or_default() {
            LOCK_NOT_AVAILABLE => Cause::Lock,
            QUERY_CANCELED => Cause::Slow,
            code if OF_SERVER.iter().any(|class| code.starts_with(class)) => Cause::Server,
            _ => Cause::Content,
        },
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
            Cause::Content
        }
        _ => Cause::Server,
    }
}

/// The database's message without content of rows: no detail, and no value in the message.
#[must_use]
pub fn reason(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(database) = error else {
        return shortened(&error.to_string());
    };
    let code = database.code().unwrap_or_default();
    // Class 22 has data exceptions, whose messages quote the data.
    let message = if code.starts_with("22") {
        without_values(database.message())
    } else {
        database.message().to_owned()
    };
    let mut text = format!("{} (SQLSTATE {code}", shortened(&message));
    if let Some(known) = database.try_downcast_ref::<PgDatabaseError>() {
        let table = known.table().map(|table| format!(", table {table}"));
        let constraint = known
            .constraint()
            .map(|name| format!(", constraint {name}"));
        // For a lock, the context names the row by its position. For other errors it may quote the
        // content.
        let lock = known
            .r#where()
            .filter(|_| code == LOCK_NOT_AVAILABLE)
            .map(|place| format!(", {}", shortened(place)));
        text.extend(table.into_iter().chain(constraint).chain(lock));
    }
    text + ")"
}

/// Removes values from a message. The server puts them in quotation marks, or after a colon.
fn without_values(message: &str) -> String {
    let before = message.split(':').next().unwrap_or_default();
    let outside: Vec<&str> = before.split('"').step_by(2).collect();
    outside.join("\u{2026}")
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_about_data_lose_the_data() {
        for (message, expected) in [
            (
                "invalid input syntax for type uuid: \"secret\"",
                "invalid input syntax for type uuid",
            ),
            (
                "value \"secret\" is out of range for type integer",
                "value \u{2026} is out of range for type integer",
            ),
            ("division by zero", "division by zero"),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }

    #[test]
    fn an_encoding_error_is_content_and_a_lost_connection_is_the_server() {
        let encode = sqlx::Error::Encode("too large".into());
        assert_eq!(cause(&encode), Cause::Content);
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(cause(&lost), Cause::Server);
        assert_eq!(cause(&sqlx::Error::PoolTimedOut), Cause::Server);
    }
}
