//! Leases connections of the pool. Each use has a deadline in the client, besides the server's
//! limits.
//!
//! The one rule: a connection that has not answered is closed. In the pool it would still wait for
//! its answer, and a vanished server would soon exhaust the pool.

use super::Store;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use std::{
    io,
    ops::{Deref, DerefMut},
    time::Duration,
};
use tokio::time::error::Elapsed;

/// Deadline of a short statement, above the server's limits.
pub(super) const SHORT: Duration = Duration::from_secs(30);

/// A connection in use.
pub(super) struct Lease {
    connection: PoolConnection<Postgres>,
    has_answered: bool,
}

impl Store {
    /// Takes a connection from the pool.
    pub(super) async fn lease(&self) -> sqlx::Result<Lease> {
        Ok(Lease {
            connection: self.pool.acquire().await?,
            has_answered: false,
        })
    }
}

impl Lease {
    /// Ends the use. The connection returns to the pool, or is closed if the deadline came first.
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

/// The error of a missed deadline.
pub(super) fn late() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "the server did not answer in time",
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
        // Also after an early return or a panic, when the state of the connection is unknown.
        if !self.has_answered {
            self.connection.close_on_drop();
        }
    }
}
