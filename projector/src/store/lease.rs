//! Connections of the store: each use has a deadline in the client, besides the limits that the server keeps.
//!
//! The one rule: a connection that has not answered is closed. Back in the pool it would wait for its answer, and
//! behind a server that vanished the pool would soon have none left.

use super::Store;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use std::{
    io,
    ops::{Deref, DerefMut},
    time::Duration,
};
use tokio::time::error::Elapsed;

/// How long a single short statement may take, above the server's limits.
pub(super) const SHORT: Duration = Duration::from_secs(30);

/// A connection in use.
pub(super) struct Lease {
    connection: PoolConnection<Postgres>,
    has_answered: bool,
}

impl Store {
    /// A connection of the pool.
    pub(super) async fn lease(&self) -> sqlx::Result<Lease> {
        Ok(Lease {
            connection: self.pool.acquire().await?,
            has_answered: false,
        })
    }
}

impl Lease {
    /// Ends the use: the connection goes back to the pool, or is closed when the deadline came first.
    pub(super) fn settle<T>(mut self, answer: Result<T, Elapsed>) -> Option<T> {
        self.has_answered = answer.is_ok();
        answer.ok()
    }

    /// Like [`Self::settle`], for a short statement.
    pub(super) fn settle_short<T>(
        self,
        answer: Result<sqlx::Result<T>, Elapsed>,
    ) -> sqlx::Result<T> {
        self.settle(answer).unwrap_or_else(|| Err(late()))
    }
}

/// The error of a deadline.
pub(super) fn late() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "the server does not answer",
    ))
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.has_answered {
            self.connection.close_on_drop();
        }
    }
}
