//! Fences a partition: each transaction locks its row, compares it with the claim and advances the
//! offset.
//!
//! The one rule: only the owner of the newest epoch writes, and only from the offset in the table.

use super::Claim;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::EventId;
use sqlx::{PgConnection, Row};

pub(super) fn statements() -> Vec<&'static str> {
    vec![LOCK_PARTITION, ADVANCE_PARTITION]
}

/// Locks the partition's row. A former owner waits here until the new owner has committed, and is
/// then refused.
pub(super) const LOCK_PARTITION: &str = "
SELECT epoch, generation, next_offset
FROM log_partitions
WHERE topic = $1 AND partition = $2
FOR UPDATE";

pub(super) const ADVANCE_PARTITION: &str = "
UPDATE log_partitions
SET next_offset = $4, last_event_id = $5, updated_at = $6, folded_until = greatest(folded_until, $7)
WHERE topic = $1 AND partition = $2 AND epoch = $3";

/// The stored state of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) epoch: i64,
    pub(super) generation: i32,
    pub(super) next_offset: i64,
}

/// The result of comparing a claim with the stored state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The claim has the table's offset.
    Holds,
    /// The batch is in the table already: we committed it, but the answer was lost.
    Committed,
    /// A later claim holds the partition.
    Fenced,
    /// The table was set to another offset while this was the newest claim: by a restore, a
    /// failover to a copy that was behind, or an operator.
    Moved,
}

impl Claim {
    /// Compares this claim with the stored state, for a batch that ends at `end`.
    pub(super) const fn compare(&self, stand: Option<Stand>, end: i64) -> Verdict {
        let Some(stand) = stand else {
            return Verdict::Moved;
        };
        if stand.epoch > self.epoch {
            return Verdict::Fenced;
        }
        // The epoch is older than ours: the table has lost this claim, so the claim is void
        // although no other projector took the partition.
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

/// Locks the row of the claim's partition and returns its state; `None` without a row.
pub(super) async fn lock(
    connection: &mut PgConnection,
    claim: &Claim,
) -> sqlx::Result<Option<Stand>> {
    let row = sqlx::query(LOCK_PARTITION)
        .bind(claim.topic)
        .bind(claim.partition)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Stand {
            epoch: row.try_get("epoch")?,
            generation: row.try_get("generation")?,
            next_offset: row.try_get("next_offset")?,
        })
    })
    .transpose()
}

/// Moves the partition to the end of a batch whose newest event was received at `received_until`.
pub(super) async fn advance(
    connection: &mut PgConnection,
    claim: &Claim,
    (next_offset, last_event_id): (i64, EventId),
    now: Timestamp,
    received_until: Option<Timestamp>,
) -> sqlx::Result<()> {
    sqlx::query(ADVANCE_PARTITION)
        .bind(claim.topic)
        .bind(claim.partition)
        .bind(claim.epoch)
        .bind(next_offset)
        .bind(last_event_id.0)
        .bind(now.to_sqlx())
        .bind(received_until.map(ToSqlx::to_sqlx))
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh::Fresh;

    #[test]
    fn only_a_later_claim_fences_and_any_other_difference_needs_a_new_claim() {
        let claim = Claim {
            topic: "t",
            partition: 0,
            epoch: 7,
            log_id: None,
            generation: 2,
            next_offset: 100,
            last_event_id: None,
            fresh: Fresh::default(),
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
}
