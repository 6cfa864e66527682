//! Whether a claim still holds: each transaction compares it with the table. Also finds the session that blocks it.
//!
//! The one rule: only the owner of the newest epoch writes, and only from the offset in the table.

use super::{Claim, Store, lease::SHORT};
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

/// The stored place of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) epoch: i64,
    pub(super) generation: i32,
    pub(super) next_offset: i64,
}

/// Whether a claim still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has the table's offset.
    Holds,
    /// The batch is in the table already: our own commit, whose answer was lost.
    Committed,
    /// A later claim holds the partition.
    Fenced,
    /// The table was set to another place while this was the newest claim: a restore, a failover to a copy that
    /// was behind, an operator.
    Moved,
}

impl Claim {
    /// Whether this claim still holds, for a batch that ends at `end`.
    pub(super) const fn compare(&self, stand: Option<Stand>, end: i64) -> Verdict {
        let Some(stand) = stand else {
            return Verdict::Moved;
        };
        if stand.epoch > self.epoch {
            return Verdict::Fenced;
        }
        // An older epoch than ours: the table forgot this claim, so it is void, and no other one made it so.
        if stand.epoch < self.epoch || stand.generation != self.generation {
            return Verdict::Moved;
        }
        if stand.next_offset == self.next_offset {
            Verdict::Holds
        } else if stand.next_offset == end {
            Verdict::Committed
        } else {
            Verdict::Moved
        }
    }
}

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
    fn only_a_later_claim_fences_and_whatever_else_differs_asks_for_a_new_claim() {
        let claim = Claim {
            topic: "t",
            partition: 0,
            epoch: 7,
            log_id: None,
            generation: 2,
            next_offset: 100,
            last_event_id: None,
        };
        let verdict = |epoch, generation, next_offset| {
            let stand = Stand {
                epoch,
                generation,
                next_offset,
            };
            claim.compare(Some(stand), 150)
        };
        assert_eq!(verdict(7, 2, 100), Verdict::Holds);
        assert_eq!(verdict(7, 2, 150), Verdict::Committed);
        assert_eq!(verdict(8, 2, 100), Verdict::Fenced);
        assert_eq!(verdict(8, 0, 0), Verdict::Fenced);
        for (epoch, generation, next_offset) in [
            (7, 2, 99),
            (7, 2, 101),
            (7, 2, 9_000),
            (7, 3, 100),
            (7, 1, 150),
            (6, 2, 100),
            (1, 0, 0),
        ] {
            assert_eq!(verdict(epoch, generation, next_offset), Verdict::Moved);
        }
        assert_eq!(claim.compare(None, 150), Verdict::Moved);
    }

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
