//! Sends live visits, a few a minute, with the requests and the timing of a browser.

use super::{
    clicks::{self, Click},
    client::Client,
    links::ShortLink,
    visits::{Visit, Visits},
};
use jiff::Timestamp;
use runtime::{Clock, IdSource, Lifecycle};
use schemas::{Keyring, PageId, tracking_token};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tracing::debug;

/// Shortest and longest time between two visits.
const BETWEEN_MS: std::ops::Range<u64> = 2_000..7_000;
/// Time between two heartbeats of a client.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(30);
/// Time from a click to its conversion.
const UNTIL_CONVERTED: Duration = Duration::from_secs(20);
/// Visits in progress at the same time.
const AT_ONCE: usize = 50;

/// Everything that live visits need.
#[derive(Clone, Debug)]
pub(super) struct Trickle {
    pub(super) client: Client,
    pub(super) tracking: Keyring,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) links: Vec<ShortLink>,
    /// The host of short URLs.
    pub(super) host: String,
}

impl Trickle {
    /// Sends visits, and clicks on short links, until the servers stop.
    pub(super) async fn run(self, mut visits: Visits, mut clicks: Visits, lifecycle: &Lifecycle) {
        let mut going = JoinSet::new();
        loop {
            let random = u64::from(self.ids.random_16()[0]);
            let span = BETWEEN_MS.end - BETWEEN_MS.start;
            let pause = Duration::from_millis(BETWEEN_MS.start + span * random / 255);
            tokio::select! {
                () = lifecycle.servers_stopping() => return,
                () = tokio::time::sleep(pause) => {}
            }
            // Removes finished visits, so that they free their places.
            while going.try_join_next().is_some() {}
            if going.len() < AT_ONCE {
                let visit = visits.visit(self.clock.now());
                going.spawn(self.clone().send(visit));
                let visit = clicks.visit(self.clock.now());
                if let Some(click) = clicks::of(visit, &self.links) {
                    going.spawn(self.clone().click(click));
                }
            }
        }
    }

    async fn send(self, visit: Visit) {
        // A visit ends at its first failed request, as a visitor leaves a page that does not
        // answer.
        if let Err(error) = self.try_send(&visit).await {
            debug!("a visit of the demo was cut short: {error}");
        }
    }

    async fn click(self, click: Click) {
        if let Err(error) = self.try_click(&click).await {
            debug!("a click of the demo was cut short: {error}");
        }
    }

    async fn try_click(&self, click: &Click) -> Result<(), reqwest::Error> {
        let id = click.open(&self.client, &self.host).await?;
        let (Some(id), Some(outcome)) = (id, &click.outcome) else {
            return Ok(());
        };
        tokio::time::sleep(UNTIL_CONVERTED).await;
        let body = json!({
            "click_id": id, "event": outcome["event"], "value": outcome["value"], "currency": outcome["currency"],
            "order_id": outcome["orderId"], "customer_external_id": outcome["customerExternalId"],
        });
        self.client.convert(&body).await
    }

    async fn try_send(&self, visit: &Visit) -> Result<(), reqwest::Error> {
        let page = PageId(visit.bio_page_id);
        let session = json!({
            "eventId": self.fresh(), "visitorId": visit.visitor_id, "consentAnalytics": "granted",
            "bioPageId": page, "trackingToken": tracking_token::make(&self.tracking, page, self.clock.now()),
            "referrer": visit.referrer, "landingUrl": visit.landing_url, "timezone": visit.timezone,
            "language": visit.language,
        });
        let answer = self.beacon(visit, "session", &session).await?;
        let Some(session) = answer["data"]["id"].as_str() else {
            // Ingest refuses crawlers.
            return Ok(());
        };
        tokio::try_join!(self.views(visit, session), self.heartbeats(visit, session))?;
        Ok(())
    }

    async fn views(&self, visit: &Visit, session: &str) -> Result<(), reqwest::Error> {
        let mut at = visit.occurred_at;
        for view in &visit.views {
            sleep_between(at, view.occurred_at).await;
            at = view.occurred_at;
            let body = json!({
                "eventId": self.fresh(), "sessionId": session, "path": view.path, "linkClicked": view.link_clicked,
            });
            let answer = self.beacon(visit, "pageview", &body).await?;
            if let (Some(leave), Some(id)) = (view.leave, answer["data"]["id"].as_str()) {
                tokio::time::sleep(Duration::from_secs_f64(leave.duration)).await;
                let body = json!({
                    "eventId": self.fresh(), "duration": leave.duration, "scrollDepth": leave.scroll_depth,
                });
                self.beacon(visit, &format!("pageview/{id}/leave"), &body)
                    .await?;
            }
        }
        Ok(())
    }

    async fn heartbeats(&self, visit: &Visit, session: &str) -> Result<(), reqwest::Error> {
        for _ in 0..visit.heartbeats {
            tokio::time::sleep(HEARTBEAT_EVERY).await;
            let body = json!({"eventId": self.fresh()});
            self.beacon(visit, &format!("session/{session}/heartbeat"), &body)
                .await?;
        }
        Ok(())
    }

    async fn beacon(
        &self,
        visit: &Visit,
        path: &str,
        body: &Value,
    ) -> Result<Value, reqwest::Error> {
        self.client
            .beacon(path, &visit.user_agent, visit.ip, body)
            .await
    }

    fn fresh(&self) -> uuid::Uuid {
        self.ids.uuid_v7(self.clock.now())
    }
}

async fn sleep_between(from: Timestamp, to: Timestamp) {
    let pause = to.duration_since(from);
    tokio::time::sleep(Duration::try_from(pause).unwrap_or_default()).await;
}
