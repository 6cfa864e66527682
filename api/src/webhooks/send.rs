//! The sender: takes deliveries that are due, sends them, and records how each attempt ended.
//!
//! It holds one connection to the database, which no request to a target occupies. The one rule: a
//! target that fails or answers slowly takes places of its own, so it delays no other one.

use super::{
    Roots, Vault, Webhooks,
    client::{Client, Message, Outcome},
    holder::hold,
    payload::message_id,
    retry, sign,
};
use crate::{
    app::Database,
    store::{
        audit,
        webhook_deliveries::{self, Attempt, Claimed, Places},
        webhooks, workspaces,
    },
};
use jiff::{SignedDuration, Timestamp};
use runtime::{Clock, Context, IdSource, Lifecycle, database};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet};
use tracing::{info, warn};
use uuid::Uuid;

/// The name of the part.
pub(crate) const SENDER: &str = "webhook sender";

/// How often to look for deliveries that are due again, or that another instance added.
const PAUSE: Duration = Duration::from_secs(1);
/// After an answer, others are awaited for this long: to claim after each one would cost more.
const GATHER: Duration = Duration::from_millis(20);
/// Pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// After this time a claimed delivery may be sent again: longer than any attempt.
const CLAIM: SignedDuration = SignedDuration::from_mins(1);
/// Requests at the same time: to targets that answer, and to those that fail or are slow.
const PLACES: usize = 128;
const SLOW_PLACES: usize = 64;
/// Requests at the same time of a webhook and of a workspace, to targets that answer. Others have one
/// each.
const OF_WEBHOOK: i64 = 4;
const OF_WORKSPACE: i64 = 40;
/// A target that takes longer is slow.
const SLOW: Duration = Duration::from_secs(2);
/// How often the queue is measured and old deliveries are removed.
const UPKEEP_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// How long finished deliveries are kept, and how many of a webhook.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
const KEPT: i64 = 5_000;
/// Most webhooks whose secrets one statement reads.
const SECRETS: i64 = 500;
/// Most deliveries that one statement removes.
const REMOVED: i64 = 5_000;
/// After so many finished deliveries, those of a webhook are counted.
const TRIM_EVERY: u32 = 500;
/// The caller in the audit log.
const ACTOR: &str = "system";
const REASON: &str = "every attempt failed for five days";

/// Sends deliveries while it runs.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(super) main: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) lifecycle: Lifecycle,
    pub(super) vault: Vault,
    pub(super) client: Client,
    pub(super) waiting: Arc<Notify>,
}

/// An attempt that has ended.
struct Ended {
    claimed: Claimed,
    at: Timestamp,
    took: Duration,
    outcome: Outcome,
    was_slow: bool,
}

/// The requests of a webhook that are under way.
#[derive(Clone, Copy, Default)]
struct Count {
    in_all: i64,
    in_slow_places: i64,
}

/// What is under way.
#[derive(Default)]
struct Under {
    requests: JoinSet<Ended>,
    of_webhooks: HashMap<Uuid, Count>,
    /// How many of the requests have places of slow targets.
    in_slow_places: usize,
    /// Webhooks whose last attempt was slow.
    slow: HashSet<Uuid>,
    /// Finished deliveries since the last count.
    finished: HashMap<Uuid, u32>,
}

impl Sender {
    /// A sender to the targets of these webhooks, which trusts these authorities too.
    ///
    /// # Errors
    /// When the client's TLS cannot be set up.
    pub(crate) fn new(
        webhooks: &Webhooks,
        roots: &Roots,
        main: Database,
        context: &Context,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            main,
            clock: Arc::clone(&context.clock),
            ids: Arc::clone(&context.ids),
            lifecycle: context.lifecycle.clone(),
            vault: webhooks.vault.clone(),
            client: Client::new(webhooks.targets, roots)?,
            waiting: Arc::clone(&webhooks.waiting),
        })
    }

    /// Works until workers must stop. Requests under way are dropped then; another sender repeats
    /// them under the same id.
    pub(crate) async fn run(self) -> Result<(), Infallible> {
        tokio::select! {
            () = self.lifecycle.workers_stopping() => {}
            () = self.work() => {}
        }
        Ok(())
    }

    async fn work(&self) {
        observe_sending(false);
        self.main.usable().await;
        let mut said = String::new();
        loop {
            let Err(error) = self.send_all().await;
            observe_sending(false);
            let text = database::message(&error);
            // Each reason is logged once, not at every attempt.
            if text != said {
                warn!("cannot send webhooks, retrying: {text}");
                said = text;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn send_all(&self) -> Result<Infallible, sqlx::Error> {
        let mut connection = hold(&self.main, webhook_deliveries::try_lock).await?;
        self.renew_secrets(&mut connection).await?;
        observe_sending(true);
        let mut under = Under::default();
        let mut kept_up: Option<Timestamp> = None;
        loop {
            let now = self.clock.now();
            // Also after the clock was set back, or nothing would be removed until it caught up.
            if kept_up.is_none_or(|at| now.duration_since(at).abs() >= UPKEEP_PAUSE) {
                self.keep_up(&mut connection, &mut under, now).await?;
                kept_up = Some(now);
            }
            for is_for_slow in [false, true] {
                self.start(&mut connection, &mut under, is_for_slow).await?;
            }
            tokio::select! {
                Some(ended) = under.requests.join_next() => {
                    self.end(&mut connection, &mut under, ended).await?;
                    tokio::time::sleep(GATHER).await;
                    while let Some(ended) = under.requests.try_join_next() {
                        self.end(&mut connection, &mut under, ended).await?;
                    }
                }
                () = self.waiting.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Encrypts secrets under the newest key, so that older ones can be given up.
    async fn renew_secrets(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let mut after = Uuid::nil();
        loop {
            let page = webhooks::secrets(&mut *connection, after, SECRETS).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.id;
            for stored in page {
                let renew = |sealed: &Vec<u8>| self.vault.renew(sealed, stored.id, &*self.ids);
                let former = stored.former_secret.as_ref().and_then(renew);
                let renewed = (renew(&stored.secret), former);
                if renewed != (None, None) {
                    webhooks::renew(&mut *connection, &stored, renewed).await?;
                }
            }
        }
    }

    /// Claims what is due, as far as there are places, and starts its requests.
    async fn start(
        &self,
        connection: &mut PgConnection,
        under: &mut Under,
        is_for_slow: bool,
    ) -> sqlx::Result<()> {
        let (places, taken, of_webhook) = if is_for_slow {
            (SLOW_PLACES, under.in_slow_places, 1)
        } else {
            let others = under.requests.len().saturating_sub(under.in_slow_places);
            (PLACES, others, OF_WEBHOOK)
        };
        let free = i64::try_from(places.saturating_sub(taken)).unwrap_or_default();
        if free == 0 {
            return Ok(());
        }
        let now = self.clock.now();
        let until = now.saturating_add(CLAIM).unwrap_or(now);
        let busy: Vec<Uuid> = under.of_webhooks.keys().copied().collect();
        let counts = under.of_webhooks.values();
        let here = counts.clone().map(|count| {
            if is_for_slow {
                count.in_slow_places
            } else {
                count.in_all - count.in_slow_places
            }
        });
        let here: Vec<i64> = here.collect();
        let counts: Vec<i64> = counts.map(|count| count.in_all).collect();
        let slow: Vec<Uuid> = under.slow.iter().copied().collect();
        let places = Places {
            busy: (&busy, &counts),
            here: &here,
            slow: &slow,
            is_for_slow,
            of_webhook,
            of_workspace: OF_WORKSPACE,
            in_all: free,
        };
        for claimed in webhook_deliveries::claim(connection, &places, (now, until)).await? {
            let count = under.of_webhooks.entry(claimed.webhook_id).or_default();
            count.in_all += 1;
            count.in_slow_places += i64::from(is_for_slow);
            under.in_slow_places += usize::from(is_for_slow);
            let request = self.request(claimed, now, is_for_slow);
            under.requests.spawn(request);
        }
        Ok(())
    }

    /// The request of a delivery.
    fn request(
        &self,
        claimed: Claimed,
        now: Timestamp,
        was_slow: bool,
    ) -> impl Future<Output = Ended> + Send + 'static {
        let client = self.client.clone();
        let message = self.message(&claimed, now);
        async move {
            let begun = Instant::now();
            let outcome = match message {
                Some(message) => client.send(message).await,
                None => Outcome::failed(
                    "secret",
                    "the secret was encrypted with another ID_SECRET: rotate it",
                ),
            };
            Ended {
                claimed,
                at: now,
                took: begun.elapsed(),
                outcome,
                was_slow,
            }
        }
    }

    /// The message of a delivery, signed with every secret that is valid now; `None` without one.
    fn message(&self, claimed: &Claimed, now: Timestamp) -> Option<Message> {
        let open = |sealed: &Vec<u8>| self.vault.open(sealed, claimed.webhook_id);
        let former = claimed.former_secret.as_ref();
        let until = claimed.former_until.map(jiff_sqlx::Timestamp::to_jiff);
        let former = former.filter(|_| until.is_some_and(|until| now < until));
        let secrets: Vec<_> = std::iter::once(open(&claimed.secret)?)
            .chain(former.and_then(open))
            .collect();
        let id = message_id(claimed.id);
        Some(Message {
            signatures: sign::signatures(&secrets, &id, now, &claimed.payload),
            url: claimed.url.clone(),
            at: now,
            body: claimed.payload.clone(),
            id,
        })
    }

    /// Records an attempt that has ended.
    async fn end(
        &self,
        connection: &mut PgConnection,
        under: &mut Under,
        ended: Result<Ended, tokio::task::JoinError>,
    ) -> sqlx::Result<()> {
        // A request does not panic. If one did, all are dropped, and sent again after their claims.
        let ended = ended.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
        let Ended {
            claimed, outcome, ..
        } = &ended;
        let webhook_id = claimed.webhook_id;
        under.in_slow_places -= usize::from(ended.was_slow);
        if let Some(count) = under.of_webhooks.get_mut(&webhook_id) {
            count.in_all -= 1;
            count.in_slow_places -= i64::from(ended.was_slow);
            if count.in_all == 0 {
                under.of_webhooks.remove(&webhook_id);
            }
        }
        if ended.took >= SLOW {
            under.slow.insert(webhook_id);
        } else {
            under.slow.remove(&webhook_id);
        }
        metrics::counter!("api_webhook_attempts_total", "outcome" => outcome.word).increment(1);
        metrics::histogram!("api_webhook_attempt_seconds").record(ended.took);
        let attempt = Attempt {
            at: ended.at,
            status: outcome.status.map(i32::from),
            error: &outcome.error,
        };
        let mut tx = connection.begin().await?;
        let is_finished = if outcome.is_delivered() {
            webhook_deliveries::delivered(&mut tx, claimed, &attempt).await?;
            true
        } else {
            let next = retry::next(claimed.attempts + 1, ended.at, &*self.ids);
            webhook_deliveries::failed(&mut tx, claimed, &attempt, next).await?;
            next.is_none()
        };
        tx.commit().await?;
        if !outcome.is_delivered() {
            self.switch_off(connection, claimed, ended.at).await?;
        }
        if is_finished {
            *under.finished.entry(webhook_id).or_default() += 1;
        }
        Ok(())
    }

    /// Switches a webhook off that has only failed for days.
    async fn switch_off(
        &self,
        connection: &mut PgConnection,
        claimed: &Claimed,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let (id, workspace_id) = (claimed.webhook_id, claimed.workspace_id);
        let since = now.checked_sub(retry::FAILING_FOR).unwrap_or(now);
        let bounds = (since, retry::FAILED_EVENTS);
        if !webhook_deliveries::is_dead(&mut *connection, id, bounds).await? {
            return Ok(());
        }
        let mut tx = connection.begin().await?;
        // As every change of a webhook.
        workspaces::lock(&mut tx, workspace_id).await?;
        if webhook_deliveries::switch_off(&mut tx, id, (now, REASON), bounds).await? {
            let entry = audit::Entry {
                workspace_id,
                actor: ACTOR,
                action: "webhook.updated",
                subject: id,
                at: now,
                detail: json!({ "changes": { "enabled": { "from": true, "to": false } }, "reason": REASON }),
            };
            audit::insert(&mut tx, entry).await?;
            metrics::counter!("api_webhooks_switched_off_total").increment(1);
            info!(webhook.id = %id, "switched the webhook {id} off: {REASON}");
        }
        tx.commit().await
    }

    /// Measures the queue and removes old deliveries.
    async fn keep_up(
        &self,
        connection: &mut PgConnection,
        under: &mut Under,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let (count, oldest) = webhook_deliveries::waiting(&mut *connection).await?;
        let age = oldest.map_or(SignedDuration::ZERO, |oldest| {
            now.duration_since(oldest.to_jiff())
        });
        #[expect(clippy::cast_precision_loss, reason = "a gauge of a queue's length")]
        metrics::gauge!("api_webhook_deliveries_waiting").set(count as f64);
        metrics::gauge!("api_webhook_oldest_seconds").set(age.as_secs_f64());
        let before = now.checked_sub(KEPT_FOR).unwrap_or(now);
        webhook_deliveries::expire(&mut *connection, before, REMOVED).await?;
        let full = under.finished.extract_if(|_, count| *count >= TRIM_EVERY);
        for (webhook_id, _) in full.collect::<Vec<_>>() {
            webhook_deliveries::trim(&mut *connection, webhook_id, KEPT).await?;
        }
        Ok(())
    }
}

fn observe_sending(sends: bool) {
    metrics::gauge!("api_webhook_sending").set(if sends { 1.0 } else { 0.0 });
}
