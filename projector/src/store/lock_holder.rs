//! Finds the session of the server that holds the row of a partition, so that an operator knows whom to end.

use super::{Store, lease::SHORT};
use sqlx::Row;
use tokio::time::timeout;

/// The session whose transaction holds the row of a partition. A row lock is not listed in `pg_locks`; the
/// row holds the number of the transaction that has locked it.
pub(super) const LOCK_HOLDER: &str = "
SELECT locks.pid, activity.application_name, activity.state
FROM log_partitions
JOIN pg_locks AS locks
  ON locks.locktype = 'transactionid'
  AND locks.transactionid = log_partitions.xmax
  AND locks.mode = 'ExclusiveLock'
  AND locks.granted
LEFT JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
WHERE log_partitions.topic = $1 AND log_partitions.partition = $2
LIMIT 1";

/// A session of the server that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// Process id on the server, for `pg_terminate_backend`.
    pub pid: i32,
    /// What its program calls itself.
    pub application: String,
    /// What it is doing, where this role may see that.
    pub state: Option<String>,
}

impl std::fmt::Display for LockHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} of the server", self.pid)?;
        let known = [Some(self.application.as_str()), self.state.as_deref()];
        let known: Vec<&str> = known
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", known.join(", "))
    }
}

impl Store {
    /// The session that holds the row of a partition, if there is one. Waits for no lock.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn find_lock_holder(
        &self,
        topic: &str,
        partition: i32,
    ) -> sqlx::Result<Option<LockHolder>> {
        let mut lease = self.lease().await?;
        let finding = sqlx::query(LOCK_HOLDER)
            .bind(topic)
            .bind(partition)
            .fetch_optional(&mut *lease);
        let found = timeout(SHORT, finding).await;
        lease
            .settle_short(found)?
            .map(|row| {
                let application: Option<String> = row.try_get("application_name")?;
                Ok(LockHolder {
                    pid: row.try_get("pid")?,
                    application: application.unwrap_or_default(),
                    state: row.try_get("state")?,
                })
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_named_by_what_may_be_seen_of_it() {
        let mut holder = LockHolder {
            pid: 7,
            application: "psql".to_owned(),
            state: Some("idle in transaction".to_owned()),
        };
        assert_eq!(
            holder.to_string(),
            "process 7 of the server (psql, idle in transaction)"
        );
        holder.state = None;
        holder.application.clear();
        assert_eq!(holder.to_string(), "process 7 of the server");
    }
}
