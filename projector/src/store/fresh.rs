//! Remembers the events of months that were empty when the owner of their partition first looked.
//! So an import need not look for each of its events in the table.
//!
//! The one rule: only the owner of a partition adds events of its workspaces. So what is not in
//! memory is not in the table, until an error. Then everything is forgotten, and the table is asked.

use super::seen::Months;
use crate::rows::SeenRow;
use jiff::{ToSpan, civil::Date};
use jiff_sqlx::ToSqlx;
use schemas::{Event, EventId, WorkspaceNo};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap, HashSet};

pub(super) fn statements() -> Vec<&'static str> {
    vec![USED]
}

/// The most events in memory: some 20 MB in one month, at most twice that in several.
const MOST_EVENTS: usize = 1_800_000;
/// After so many batches, months that are hardly used are given up. An import asks about many more
/// events than it has batches, late live beacons ask about fewer.
const BATCHES: u64 = 1_000;
/// The most months of workspaces of which anything is known.
const MOST_MONTHS: usize = 10_000;

pub(super) const USED: &str = "
SELECT workspace_no
FROM UNNEST($2::int4[]) AS asked (workspace_no)
WHERE EXISTS (SELECT FROM seen WHERE seen.workspace_no = asked.workspace_no AND month = $1)";

/// What an owner knows about the months of its workspaces.
#[derive(Clone, Debug, Default)]
pub(super) struct Fresh {
    months: HashMap<(WorkspaceNo, Date), Month>,
    events: usize,
    /// Counts the batches.
    now: u64,
}

/// A month of a workspace.
#[derive(Clone, Debug)]
enum Month {
    /// It had events before, or has too many for the memory.
    Used,
    /// All of its events are here.
    Fresh(Events),
}

/// All events of a month of a workspace.
#[derive(Clone, Debug, Default)]
struct Events {
    /// The second half of each id.
    ids: HashSet<u64>,
    /// The batch of the newest one.
    last: u64,
    /// How many events were asked about since the last look.
    uses: u64,
}

impl Fresh {
    /// Leaves out the events that are surely new. The months must be few.
    pub(super) async fn leave_out_new(
        &mut self,
        connection: &mut PgConnection,
        (since, until): Months,
        events: &mut Vec<&Event>,
    ) -> sqlx::Result<()> {
        let workspaces: BTreeSet<WorkspaceNo> =
            events.iter().map(|event| event.workspace_no).collect();
        let mut month = since;
        while month <= until {
            self.learn(connection, month, &workspaces).await?;
            month = month.saturating_add(1.month());
        }
        events.retain(|event| !self.is_new(event, (since, until)));
        Ok(())
    }

    /// Notes events that are added to the table.
    pub(super) fn add(&mut self, rows: &[SeenRow]) {
        self.now += 1;
        for row in rows {
            let month = self.months.get_mut(&(row.workspace_no, row.month));
            if let Some(Month::Fresh(events)) = month {
                events.last = self.now;
                self.events += usize::from(events.ids.insert(half(row.event_id)));
            }
        }
        self.keep(MOST_EVENTS);
        if self.now.is_multiple_of(BATCHES) {
            self.keep_used();
        }
    }

    /// Gives up months until there are at most so many events, first those that have had no new
    /// event for the longest time.
    fn keep(&mut self, most: usize) {
        while self.events > most {
            let oldest = self.with_events().min_by_key(|(_, events)| events.last);
            let Some((oldest, _)) = oldest else {
                return;
            };
            self.give_up(oldest);
        }
    }

    /// Gives up the months of an import that has ended, and those of live beacons, which may be any
    /// month that begins.
    fn keep_used(&mut self) {
        let unused = self
            .with_events()
            .filter(|(_, events)| events.uses < BATCHES);
        for month in unused.map(|(month, _)| month).collect::<Vec<_>>() {
            self.give_up(month);
        }
        for month in self.months.values_mut() {
            if let Month::Fresh(events) = month {
                events.uses = 0;
            }
        }
    }

    /// The months that have events.
    fn with_events(&self) -> impl Iterator<Item = ((WorkspaceNo, Date), &Events)> {
        self.months.iter().filter_map(|(key, month)| match month {
            Month::Fresh(events) if !events.ids.is_empty() => Some((*key, events)),
            _ => None,
        })
    }

    fn give_up(&mut self, month: (WorkspaceNo, Date)) {
        if let Some(Month::Fresh(events)) = self.months.insert(month, Month::Used) {
            self.events -= events.ids.len();
        }
    }

    /// Forgets everything, so that the table is asked.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Finds out which of these workspaces have had no event in a month.
    async fn learn(
        &mut self,
        connection: &mut PgConnection,
        month: Date,
        workspaces: &BTreeSet<WorkspaceNo>,
    ) -> sqlx::Result<()> {
        let unknown: Vec<WorkspaceNo> = workspaces
            .iter()
            .filter(|no| !self.months.contains_key(&(**no, month)))
            .copied()
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        if self.months.len() + unknown.len() > MOST_MONTHS {
            self.forget();
        }
        let asked: Vec<i32> = unknown.iter().map(|no| super::int4(*no)).collect();
        let used: Vec<i32> = sqlx::query_scalar(USED)
            .bind(month.to_sqlx())
            .bind(asked)
            .fetch_all(connection)
            .await?;
        let used: HashSet<i32> = used.into_iter().collect();
        for no in unknown {
            let found = if used.contains(&super::int4(no)) {
                Month::Used
            } else {
                Month::Fresh(Events::default())
            };
            self.months.insert((no, month), found);
        }
        Ok(())
    }

    fn is_new(&mut self, event: &Event, (since, until): Months) -> bool {
        let mut is_new = true;
        let mut month = since;
        while month <= until {
            match self.months.get_mut(&(event.workspace_no, month)) {
                Some(Month::Fresh(events)) => {
                    events.uses += 1;
                    is_new &= !events.ids.contains(&half(event.event_id));
                }
                _ => is_new = false,
            }
            month = month.saturating_add(1.month());
        }
        is_new
    }
}

/// The second half of an id, which is random. If two events share it, the table tells them apart.
const fn half(id: EventId) -> u64 {
    id.0.as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const WORKSPACE: WorkspaceNo = WorkspaceNo(1);

    fn month(no: i8) -> Date {
        Date::constant(2026, no, 1)
    }

    fn rows(no: i8, ids: std::ops::Range<u128>) -> Vec<SeenRow> {
        ids.map(|id| SeenRow {
            seq: 0,
            workspace_no: WORKSPACE,
            month: month(no),
            event_id: EventId(Uuid::from_u128(id)),
        })
        .collect()
    }

    /// Empty months from January on.
    fn fresh(months: i8) -> Fresh {
        let mut fresh = Fresh::default();
        for no in 1..=months {
            let key = (WORKSPACE, month(no));
            fresh.months.insert(key, Month::Fresh(Events::default()));
        }
        fresh
    }

    #[test]
    fn the_month_without_news_for_the_longest_time_is_given_up() {
        let mut fresh = fresh(3);
        fresh.add(&rows(1, 0..5));
        fresh.add(&rows(2, 5..9));
        fresh.add(&rows(1, 4..10));
        assert_eq!(fresh.events, 14);
        fresh.keep(13);
        assert_eq!(fresh.events, 10);
        let is_fresh = |no| {
            let month = fresh.months.get(&(WORKSPACE, month(no)));
            matches!(month, Some(Month::Fresh(_)))
        };
        assert_eq!([1, 2, 3].map(is_fresh), [true, false, true]);
    }

    #[test]
    fn a_month_is_given_up_when_few_events_are_asked_about() {
        let mut fresh = fresh(2);
        let key = (WORKSPACE, month(1));
        for batch in 0..u128::from(BATCHES) {
            fresh.add(&rows(1, batch..batch + 1));
            fresh.add(&rows(2, batch..batch + 1));
            if let Some(Month::Fresh(events)) = fresh.months.get_mut(&key) {
                events.uses += 3;
            }
        }
        // The other month had live beacons only.
        assert_eq!(fresh.events, usize::try_from(BATCHES).unwrap());
        for _ in 0..BATCHES {
            fresh.add(&[]);
        }
        assert_eq!(fresh.events, 0);
    }
}
