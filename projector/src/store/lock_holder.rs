//! Finds the database session that locks the row of a partition, so that an operator can end it.

use super::{Store, lease::SHORT};
use sqlx::Row;
use tokio::time::timeout;

pub(super) fn statements() -> Vec<&'static str> {
    vec![LOCK_HOLDER]
}

/// The session whose transaction locks the row of a partition. `pg_locks` does not list row locks,
/// but `xmax` of the row is the number of the locking transaction.
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

/// A database session that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// Process id on the server, for `pg_terminate_backend`.
    pub pid: i32,
    /// The program's name for itself.
    pub application: String,
    /// Its state, if this role may see it.
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
    /// Finds the session that locks the row of a partition, if any. Does not wait for locks.
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
    fn a_holder_is_named_by_its_visible_attributes() {
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
