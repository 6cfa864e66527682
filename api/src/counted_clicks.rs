//! Publishes how many counted clicks links with a limit have had, soon after they are folded.
//!
//! Ingest takes clicks of a limit in its own memory. This tells it those of other instances, and
//! those before its start. Every instance works; the position of a workspace moves only from the
//! place that the clicks were read after, so no click is added twice.

use crate::{
    app::Database,
    store::{
        self, Tx,
        counted_clicks::{self, Position, Since, Uncounted},
    },
};
use jiff::{SignedDuration, Timestamp};
use runtime::{Clock, Lifecycle, database};
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};
use tracing::warn;
use uuid::Uuid;

/// The name of the part.
pub(crate) const PART: &str = "click counter";

/// Pause between two looks at the tables.
const PAUSE: Duration = Duration::from_millis(400);
/// Pause while no link has a limit.
const QUIET_PAUSE: Duration = Duration::from_secs(1);
/// Pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Most workspaces of one look.
const WORKSPACES: i64 = 1_000;
/// Most rows of a workspace that one look reads.
const ROWS: i64 = 1_000;
/// Most links of one look whose clicks are counted from the tables.
const LINKS: i64 = 100;
/// Clicks are folded soon after they happen. Older ones, which only an import brings, are counted
/// when the limit is next changed.
const RECENT: SignedDuration = SignedDuration::from_hours(40 * 24);

/// Counts clicks while it runs.
#[derive(Debug)]
pub(crate) struct ClickCounter {
    pub(crate) main: Database,
    pub(crate) analytics: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lifecycle: Lifecycle,
}

impl ClickCounter {
    /// Works until workers must stop. What is left is counted after the next start.
    pub(crate) async fn run(self) -> Result<(), Infallible> {
        tokio::select! {
            () = self.lifecycle.workers_stopping() => {}
            () = self.work() => {}
        }
        Ok(())
    }

    async fn work(&self) {
        self.main.usable().await;
        self.analytics.usable().await;
        let mut said = String::new();
        let mut seen = Vec::new();
        loop {
            let pause = match self.look(&mut seen).await {
                Ok(has_limits) => {
                    said.clear();
                    if has_limits { PAUSE } else { QUIET_PAUSE }
                }
                Err(error) => {
                    let text = database::message(&error);
                    // Each reason is logged once, not at every attempt.
                    if text != said {
                        warn!("cannot count the clicks of links with a limit, retrying: {text}");
                        said = text;
                    }
                    seen.clear();
                    RETRY_PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Counts what came since the last look. `seen` is how far the tables were then. False when no
    /// link has a limit.
    async fn look(&self, seen: &mut Vec<(i32, i64)>) -> sqlx::Result<bool> {
        let main = self.main.raw_pool();
        if !counted_clicks::any(main).await? {
            return Ok(false);
        }
        // Read first: what is folded meanwhile is found at the next look.
        let progress = counted_clicks::progress(self.analytics.raw_pool()).await?;
        let mut connection = main.acquire().await?;
        let uncounted = counted_clicks::uncounted(&mut connection, LINKS).await?;
        drop(connection);
        for link in uncounted {
            self.count(link).await?;
        }
        if *seen == progress {
            return Ok(true);
        }
        counted_clicks::forget(main).await?;
        let mut after = Uuid::nil();
        loop {
            let positions = counted_clicks::positions(main, after, WORKSPACES).await?;
            let Some(last) = positions.last() else {
                break;
            };
            after = last.workspace_id;
            self.follow(positions).await?;
        }
        *seen = progress;
        Ok(true)
    }

    /// Adds the clicks after these positions.
    async fn follow(&self, mut positions: Vec<Position>) -> sqlx::Result<()> {
        while !positions.is_empty() {
            let part = (self.recent(), ROWS);
            let analytics = self.analytics.raw_pool();
            let since = counted_clicks::since(analytics, &positions, part).await?;
            let mut found: HashMap<i32, Vec<Since>> = HashMap::new();
            for row in since {
                found.entry(row.workspace_no).or_default().push(row);
            }
            let mut unfinished = Vec::new();
            for position in positions {
                let Some(rows) = found.remove(&position.no) else {
                    continue;
                };
                let seq = rows.iter().map(|row| row.seq).max();
                let seq = seq.unwrap_or(position.seq);
                self.add(position, seq, &rows).await?;
                if rows.iter().map(|row| row.rows).sum::<i64>() >= ROWS {
                    unfinished.push(Position { seq, ..position });
                }
            }
            positions = unfinished;
        }
        Ok(())
    }

    async fn add(&self, position: Position, seq: i64, rows: &[Since]) -> sqlx::Result<()> {
        let clicks: Vec<(Uuid, i64)> = rows
            .iter()
            .filter(|row| row.clicks > 0)
            .filter_map(|row| Some((row.link_id?, row.clicks)))
            .collect();
        let mut tx = self.main.raw_pool().begin().await?;
        // As every change of links does, so that none waits for another in a circle.
        store::workspaces::lock(&mut tx, position.workspace_id).await?;
        // Otherwise another instance has added them.
        if counted_clicks::advance(&mut tx, position, seq).await? {
            let links = counted_clicks::add(&mut tx, position.workspace_id, &clicks).await?;
            self.publish(&mut tx, &links).await?;
        }
        tx.commit().await
    }

    /// Counts the clicks of a link from the tables, up to the position of its workspace.
    async fn count(&self, link: Uncounted) -> sqlx::Result<()> {
        let (main, analytics) = (self.main.raw_pool(), self.analytics.raw_pool());
        let workspace_id = link.workspace_id;
        if counted_clicks::position(main, workspace_id)
            .await?
            .is_none()
        {
            let newest = counted_clicks::newest(analytics, link.no, self.recent()).await?;
            counted_clicks::start(main, workspace_id, newest).await?;
        }
        let Some(seq) = counted_clicks::position(main, workspace_id).await? else {
            return Ok(());
        };
        let clicks = counted_clicks::until(analytics, link, seq).await?;
        let mut tx = main.begin().await?;
        store::workspaces::lock(&mut tx, workspace_id).await?;
        // A position that moved meanwhile leaves the link for the next look.
        if counted_clicks::position(&mut *tx, workspace_id).await? == Some(seq) {
            let clicks = i32::try_from(clicks).unwrap_or(i32::MAX);
            let is_set = counted_clicks::set(&mut tx, link.id, clicks).await?;
            if is_set && clicks != link.clicks_used {
                self.publish(&mut tx, &[link.id]).await?;
            }
        }
        tx.commit().await
    }

    async fn publish(&self, tx: &mut Tx<'_>, links: &[Uuid]) -> sqlx::Result<()> {
        if links.is_empty() {
            return Ok(());
        }
        let entries = store::directory::find_links(tx, links).await?;
        store::outbox::insert(tx, &entries, self.clock.now()).await
    }

    fn recent(&self) -> Timestamp {
        let now = self.clock.now();
        now.checked_sub(RECENT).unwrap_or(Timestamp::MIN)
    }
}
