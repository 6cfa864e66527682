//! The follower: turns events of the tables into deliveries.
//!
//! Each webhook has a position of its own. So a webhook whose queue is full reads no further, and
//! nothing is lost: the tables keep its events until there is room. The one rule: the deliveries of
//! a page and the position after it are committed together.

use super::{CONVERSIONS, MAX_WAITING, holder::hold, payload};
use crate::{
    app::Database,
    events::{self, Codes},
    store::{
        conversions, counted_clicks,
        followed_conversions::{self, Found},
        webhook_feeds::{self, Feed, NewDelivery},
    },
};
use runtime::{Clock, Lifecycle, database};
use sqlx::{Connection, PgConnection};
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::Notify;
use tracing::warn;
use uuid::Uuid;

/// The name of the part.
pub(crate) const FOLLOWER: &str = "webhook follower";

/// Pause between two looks at the tables.
const PAUSE: Duration = Duration::from_millis(400);
/// Pause while no webhook is switched on.
const QUIET_PAUSE: Duration = Duration::from_secs(1);
/// Pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Most webhooks of one statement.
const FEEDS: i64 = 500;
/// Most events of one kind in a transaction: some 200 kB.
const ROWS: i64 = 200;

/// Makes deliveries while it runs.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) main: Database,
    pub(crate) analytics: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lifecycle: Lifecycle,
    /// Wakes the sender.
    pub(crate) waiting: Arc<Notify>,
}

impl Follower {
    /// Works until workers must stop. The positions are in the database, so the next one goes on.
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
        loop {
            let Err(error) = self.follow_all().await;
            let text = database::message(&error);
            // Each reason is logged once, not at every attempt.
            if text != said {
                warn!("cannot read events for webhooks, retrying: {text}");
                said = text;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn follow_all(&self) -> Result<Infallible, sqlx::Error> {
        let mut connection = hold(&self.main, webhook_feeds::try_lock).await?;
        let mut seen = Vec::new();
        loop {
            let has_webhooks = self.look(&mut connection, &mut seen).await?;
            tokio::time::sleep(if has_webhooks { PAUSE } else { QUIET_PAUSE }).await;
        }
    }

    /// Reads what came since the last look. `seen` is how far the tables were then. False when no
    /// webhook is switched on.
    async fn look(
        &self,
        connection: &mut PgConnection,
        seen: &mut Vec<(i32, i64)>,
    ) -> sqlx::Result<bool> {
        if !webhook_feeds::any(&mut *connection).await? {
            return Ok(false);
        }
        // Read first: what is folded meanwhile is found at the next look.
        let progress = counted_clicks::progress(self.analytics.raw_pool()).await?;
        if *seen == progress {
            return Ok(true);
        }
        let (mut after, mut has_more) = (Uuid::nil(), false);
        loop {
            let feeds = webhook_feeds::list(&mut *connection, after, FEEDS).await?;
            let Some(last) = feeds.last() else {
                break;
            };
            after = last.id;
            for feed in feeds {
                has_more |= self.follow(connection, &feed).await?;
            }
        }
        // Otherwise the next look continues, even without news.
        if !has_more {
            *seen = progress;
        }
        Ok(true)
    }

    /// Reads a page for a webhook. True when there is more to read.
    async fn follow(&self, connection: &mut PgConnection, feed: &Feed) -> sqlx::Result<bool> {
        let room = MAX_WAITING - feed.waiting;
        if room <= 0 {
            return Ok(true);
        }
        let limit = room.min(ROWS);
        let mut reading = self.analytics.raw_pool().acquire().await?;
        let clicks = match triggers(feed) {
            triggers if triggers.is_empty() => None,
            triggers => Some(clicks(feed, triggers, limit).read(&mut reading).await?),
        };
        let conversions = match classes(feed) {
            classes if classes.is_empty() => None,
            classes => {
                let follow = conversions_of(feed, classes, limit);
                Some(follow.read(&mut reading, self.clock.now()).await?)
            }
        };
        // No connection to the tables is held while the main database works.
        drop(reading);
        let clicks = clicks.unwrap_or(events::Followed {
            last: feed.last_click,
            ..events::Followed::default()
        });
        let conversions = conversions.unwrap_or(followed_conversions::Followed {
            last: feed.last_conversion,
            ..followed_conversions::Followed::default()
        });
        let last = (clicks.last, conversions.last);
        let has_more = clicks.has_more || conversions.has_more;
        if last == (feed.last_click, feed.last_conversion) {
            return Ok(has_more);
        }
        let mut new = self.of_clicks(feed, &clicks).await?;
        new.extend(of_conversions(connection, feed, &conversions.rows).await?);
        let mut tx = connection.begin().await?;
        if !webhook_feeds::advance(&mut tx, feed, last).await? {
            // Its owner has changed it meanwhile, so it is read again.
            return Ok(true);
        }
        webhook_feeds::add(&mut tx, feed.id, &new, self.clock.now()).await?;
        tx.commit().await?;
        if !new.is_empty() {
            self.waiting.notify_one();
        }
        Ok(has_more)
    }

    async fn of_clicks(
        &self,
        feed: &Feed,
        clicks: &events::Followed,
    ) -> sqlx::Result<Vec<NewDelivery>> {
        let mut codes = Codes::default();
        codes.learn(self.main.raw_pool(), &clicks.rows).await?;
        let of = (feed.id, feed.workspace_id);
        let rows = clicks.rows.iter();
        rows.map(|row| payload::click(row, &codes, of)).collect()
    }
}

/// How the wanted clicks were opened, as the tables name it.
fn triggers(feed: &Feed) -> Vec<&'static str> {
    let wants = |kind: &str| feed.events.iter().any(|event| event == kind);
    let (clicks, scans) = (wants("click"), wants("qr_scan"));
    let triggers = schemas::events::TRIGGERS.into_iter();
    triggers
        .filter(|trigger| if *trigger == "qr" { scans } else { clicks })
        .collect()
}

/// The classes of the wanted conversions.
fn classes(feed: &Feed) -> Vec<&str> {
    let events = feed.events.iter().map(String::as_str);
    events.filter(|event| CONVERSIONS.contains(event)).collect()
}

fn clicks(feed: &Feed, triggers: Vec<&'static str>, limit: i64) -> events::Follow {
    events::Follow {
        workspace_no: feed.no,
        triggers,
        link: feed.link_id,
        campaign: feed.campaign_id,
        since: feed.clicks_since.to_jiff(),
        after: feed.last_click,
        limit,
    }
}

fn conversions_of<'a>(
    feed: &'a Feed,
    classes: Vec<&'a str>,
    limit: i64,
) -> followed_conversions::Follow<'a> {
    followed_conversions::Follow {
        workspace_no: feed.no,
        classes,
        link: feed.link_id,
        campaign: feed.campaign_id,
        since: feed.conversions_since.to_jiff(),
        after: feed.last_conversion,
        limit,
    }
}

async fn of_conversions(
    connection: &mut PgConnection,
    feed: &Feed,
    found: &[Found],
) -> sqlx::Result<Vec<NewDelivery>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = found.iter().map(|found| found.conversion_id).collect();
    let stored = conversions::these(connection, feed.workspace_id, &ids).await?;
    let mut stored: HashMap<Uuid, _> = stored.into_iter().map(|row| (row.id, row)).collect();
    let of = (feed.id, feed.workspace_id);
    let new = found.iter().filter_map(|found| {
        let conversion = stored.remove(&found.conversion_id)?;
        Some(payload::conversion(found, conversion, of))
    });
    new.collect()
}
