//! A client that syncs gets every event once, in spite of late events, ties, lost answers, batches
//! of any size, and tables that are folded again.

use crate::{
    clicks_folded::{by_bot, click},
    events_api::{EventsApi, ids},
    random_log::{at, clear, event_at, read, start, view},
};
use kit::{System, SystemBuilder};
use projector::{Claim, Store};
use proptest::{prelude::*, test_runner::TestRunner};
use schemas::{Body, BotReason, Event, LinkId, PageviewId, SessionId, topics::EVENTS};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What happens between two steps of the client.
#[derive(Clone, Debug)]
enum Step {
    /// The projector folds this many records in one batch.
    Fold(usize),
    /// The client asks for a page of this size and keeps it.
    Sync(usize),
    /// The client asks for a page, and dies before it has kept it.
    Die(usize),
    /// The tables are emptied and folded again in batches of this size, up to where they were.
    FoldAgain(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1usize..12).prop_map(Step::Fold),
        4 => (1usize..7).prop_map(Step::Sync),
        1 => (1usize..7).prop_map(Step::Die),
        1 => (1usize..30).prop_map(Step::FoldAgain),
    ]
}

/// Clicks on short links and on a page's links, the latter also before their visit. Few times and
/// many events, so that ties are common; repeated ids, as after a retry.
fn record() -> impl Strategy<Value = Event> {
    (0u8..8, 0u128..60, 0u128..4).prop_map(|(kind, number, session)| {
        let session_id = SessionId(Uuid::from_u128(100 + session));
        // An id names one event, so everything else follows from it.
        let fixed = i64::try_from(number).unwrap() * 7_919 % 5;
        match kind {
            0 | 1 => event_at(900 + session, 0, start(session_id)),
            2 | 3 => {
                let session_id = SessionId(Uuid::from_u128(100 + number % 4));
                let pageview = PageviewId(Uuid::from_u128(300 + number));
                let mut event = event_at(300 + number, fixed, view(session_id, pageview));
                if let Body::PageViewed(view) = &mut event.body {
                    view.link_id = Some(LinkId(Uuid::from_u128(7)));
                }
                event
            }
            4 => by_bot(click(500 + number, fixed, (1, 0)), BotReason::Agent),
            _ => click(600 + number, fixed, (1, u8::try_from(number % 3).unwrap())),
        }
    })
}

/// A projector of one partition, and the tables that it writes.
struct Tables {
    store: Store,
    claim: Claim,
    log: Vec<Event>,
    folded: usize,
}

impl Tables {
    async fn empty(system: &System, log: Vec<Event>) -> Self {
        clear(&system.analytics).await;
        let store = Store::new(system.analytics.clone());
        let claim = store.claim(EVENTS, 0).await.unwrap();
        Self {
            store,
            claim,
            log,
            folded: 0,
        }
    }

    async fn fold(&mut self, records: usize) {
        let end = self.log.len().min(self.folded + records);
        if end > self.folded {
            let batch = read(&self.log, self.folded..end);
            self.store
                .apply(&mut self.claim, &batch, at(0))
                .await
                .unwrap();
            self.folded = end;
        }
    }

    async fn fold_again(&mut self, system: &System, batch: usize) {
        let until = self.folded;
        let mut fresh = Self::empty(system, std::mem::take(&mut self.log)).await;
        while fresh.folded < until {
            fresh.fold(batch.min(until - fresh.folded)).await;
        }
        *self = fresh;
    }
}

/// A client that keeps the position with each page, as in one transaction.
#[derive(Debug, Default)]
struct Client {
    /// A filter, as the end of a query.
    filter: &'static str,
    kept: Vec<String>,
    position: Option<(String, Option<String>)>,
}

impl Client {
    fn query(&self, limit: usize) -> String {
        let (since, after) = match &self.position {
            Some((since, after)) => (since.as_str(), after.as_deref()),
            None => ("2000-01-01", None),
        };
        let after = after.map_or_else(String::new, |id| format!("&afterEventId={id}"));
        format!("since={since}{after}&limit={limit}{}", self.filter)
    }

    /// Keeps a page. Returns whether there are more.
    fn keep(&mut self, page: &Value, limit: usize) -> bool {
        let new = ids(page);
        let has_more = page["hasMore"].as_bool().unwrap();
        assert!(
            new.len() <= limit && (!has_more || new.len() == limit),
            "{page}"
        );
        let text = |name: &str| page[name].as_str().map(str::to_owned);
        self.position = Some((text("nextSince").unwrap(), text("afterEventId")));
        self.kept.extend(new);
        has_more
    }
}

/// What there is to get, and how often: each event that counts, once. That of one link, if it is given.
async fn expected(system: &System, link: Option<Uuid>) -> BTreeMap<String, usize> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT event_id
         FROM hits
         WHERE link_id IS NOT NULL AND bot_reason IS NULL AND NOT is_duplicate AND coalesce(link_id = $1, true)",
    )
    .bind(link)
    .fetch_all(&system.analytics)
    .await
    .unwrap();
    ids.into_iter().map(|id| (format!("evt_{id}"), 1)).collect()
}

fn counted(kept: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in kept {
        *counts.entry(id.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn a_client_gets_every_event_once_in_any_interleaving() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (system, api) = runtime.block_on(async {
        let system = SystemBuilder::default().without_projector().start().await;
        let api = EventsApi::of(&system).await;
        (system, api)
    });
    let cases = std::env::var("SYNC_CASES").map_or(24, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    });
    let inputs = (
        prop::collection::vec(record(), 1..70),
        prop::collection::vec(step(), 0..40),
        1usize..7,
    );
    let property = runner.run(&inputs, |(log, steps, limit)| {
        let (kept, expected) = runtime.block_on(async {
            let mut tables = Tables::empty(&system, log).await;
            let mut client = Client::default();
            let mut of_link = Client {
                filter: "&shortUrlId=url_00000000-0000-0000-0000-000000000007",
                ..Client::default()
            };
            for step in steps {
                match step {
                    Step::Fold(records) => tables.fold(records).await,
                    Step::FoldAgain(batch) => tables.fold_again(&system, batch).await,
                    Step::Sync(limit) => {
                        let page = api.page(&client.query(limit)).await;
                        client.keep(&page, limit);
                        let page = api.page(&of_link.query(limit)).await;
                        of_link.keep(&page, limit);
                    }
                    Step::Die(limit) => {
                        let lost = api.page(&client.query(limit)).await;
                        let again = api.page(&client.query(limit)).await;
                        assert_eq!(lost, again);
                    }
                }
            }
            tables.fold(usize::MAX / 2).await;
            while client.keep(&api.page(&client.query(limit)).await, limit) {}
            // Without news, the position stays and nothing comes.
            let position = client.position.clone();
            for _ in 0..3 {
                client.keep(&api.page(&client.query(limit)).await, limit);
                assert_eq!(client.position, position);
            }
            while of_link.keep(&api.page(&of_link.query(limit)).await, limit) {}
            assert_eq!(
                counted(&of_link.kept),
                expected(&system, Some(Uuid::from_u128(7))).await
            );
            (counted(&client.kept), expected(&system, None).await)
        });
        prop_assert_eq!(kept, expected);
        Ok(())
    });
    property.unwrap();
    runtime.block_on(system.finish());
}

#[test]
fn pages_by_time_show_what_was_there_at_the_first_one() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (system, api) = runtime.block_on(async {
        let system = SystemBuilder::default().without_projector().start().await;
        let api = EventsApi::of(&system).await;
        (system, api)
    });
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 16,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    });
    let inputs = (
        prop::collection::vec(record(), 1..70),
        0usize..70,
        prop::collection::vec((1usize..6, 0usize..9, any::<bool>()), 80),
    );
    let property = runner.run(&inputs, |(log, first, pages)| {
        runtime.block_on(async {
            let mut tables = Tables::empty(&system, log).await;
            tables.fold(first).await;
            let all = "from=2027-01-01&to=2027-12-31&limit=5000";
            let before = ids(&api.page(all).await);
            let mut cursor = String::new();
            let mut found = Vec::new();
            for (limit, records, again) in pages {
                let query = format!("from=2027-01-01&to=2027-12-31&limit={limit}{cursor}");
                let page = api.page(&query).await;
                found.extend(ids(&page));
                assert_eq!(page["hasMore"], page["nextCursor"].is_string());
                let Some(next) = page["nextCursor"].as_str() else {
                    break;
                };
                cursor = format!("&cursor={next}");
                tables.fold(records).await;
                if again {
                    tables.fold_again(&system, 1 + records).await;
                }
            }
            assert_eq!(found, before);
        });
        Ok(())
    });
    property.unwrap();
    runtime.block_on(system.finish());
}
