//! One instance of ingest behind its routes: what a beacon passes through between arriving and being
//! answered.
//!
//! Owns throttling, waiting for the directory and publishing; what becomes of a beacon is
//! [`crate::accept`]'s. The one rule: from the moment an event is handed to the sink, its outcome is
//! settled even if nobody waits for the answer any more.

use crate::{
    accept::{Acceptor, Answer, Beacon, Content, Facts, Missing, Refusal, Rules, Verdict},
    directory::Directory,
    enrich::GeoDatabase,
    limits::{self, Spent},
    outcome::{Outcome, Outcomes, Ticket},
    refusals::{Refusals, Which},
    sessions::Sessions,
    sink::{NotDurable, Outgoing, Sink},
};
use arc_swap::ArcSwap;
use axum::http::HeaderMap;
use jiff::Timestamp;
use runtime::{
    Clock, IdSource,
    http::{Peer, TrustedProxies},
    jwt::{Gate, Refused, Verifier},
    throttle::Throttles,
};
use schemas::Event;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::task::TaskTracker;
use tracing::error;

/// How long a beacon waits for the directory to learn what it proves.
pub const DIRECTORY_WAIT: Duration = Duration::from_secs(2);

/// What a service is made of.
#[derive(Debug)]
pub struct Parts {
    /// Judges beacons.
    pub acceptor: Acceptor,
    /// Pages and workspaces.
    pub directory: Arc<Directory>,
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// How often beacons may come.
    pub throttles: Throttles,
    /// Checks tokens of signed-in visitors.
    pub jwt: Verifier,
    /// Whose forwarded addresses are believed.
    pub proxies: TrustedProxies,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdSource>,
}

/// One instance.
#[derive(Debug)]
pub struct Service {
    acceptor: ArcSwap<Acceptor>,
    gate: Gate,
    parts: Parts,
    outcomes: Arc<Outcomes>,
    refusals: Refusals,
    sessions: Sessions,
    deliveries: TaskTracker,
}

/// What a beacon comes to before it is published.
#[derive(Debug)]
pub(crate) enum Ruling {
    /// Its limit is spent.
    Throttled(Spent),
    /// It was judged.
    Judged(Verdict),
}

impl Service {
    /// An instance of these parts. Starts nothing.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            acceptor: ArcSwap::from_pointee(parts.acceptor.clone()),
            gate: Gate::new(
                parts.jwt.clone(),
                parts.throttles.clone(),
                Arc::clone(&parts.clock),
            ),
            parts,
            outcomes: Arc::default(),
            refusals: Refusals::default(),
            sessions: Sessions::default(),
            deliveries: TaskTracker::new(),
        }
    }

    /// What became of the beacons so far.
    #[must_use]
    pub fn outcomes(&self) -> &Arc<Outcomes> {
        &self.outcomes
    }

    /// Pages and workspaces.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.parts.directory
    }

    /// Refused beacons that are not in the log yet.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// How often beacons may come.
    #[must_use]
    pub fn throttles(&self) -> &Throttles {
        &self.parts.throttles
    }

    /// Judges with another `GeoIP` database from now on.
    pub fn use_geo(&self, geo: &GeoDatabase) {
        self.acceptor.rcu(|acceptor| acceptor.with_geo(geo.clone()));
    }

    /// Publishes sums of refused beacons.
    pub async fn publish_refusals(&self, which: Which) {
        let now = self.now();
        self.refusals
            .publish(which, &*self.parts.sink, &*self.parts.ids, now)
            .await;
    }

    /// Completes when every event that was handed to the sink is settled. None may come any more.
    pub async fn finish_deliveries(&self) {
        self.deliveries.close();
        self.deliveries.wait().await;
    }

    pub(crate) fn acceptor(&self) -> Arc<Acceptor> {
        self.acceptor.load_full()
    }

    pub(crate) fn rules(&self) -> Rules {
        self.parts.acceptor.rules()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn client(&self, peer: Option<&Peer>, headers: &HeaderMap) -> IpAddr {
        // Only a listener that is not ours leaves the peer out.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        self.parts.proxies.client(peer, headers)
    }

    /// The subject of the request's token.
    pub(crate) fn user(&self, headers: &HeaderMap, address: IpAddr) -> Result<String, Refused> {
        let claims = self.gate.admit(headers, address)?;
        Ok(claims.sub)
    }

    /// Traces, throttles and judges a beacon. `spent` when it was throttled before.
    pub(crate) fn rule(
        &self,
        acceptor: &Acceptor,
        beacon: &Beacon<'_>,
        facts: &Facts<'_>,
        spent: bool,
    ) -> Ruling {
        let origin = acceptor.trace(beacon, &self.parts.directory);
        if !spent
            && let Some(bucket) = Acceptor::bucket(beacon, origin, facts)
            && let Err(spent) = limits::spend(&self.parts.throttles, beacon.kind(), bucket)
        {
            return Ruling::Throttled(spent);
        }
        let verdict = acceptor.judge(
            beacon,
            origin,
            facts,
            &self.parts.directory,
            &*self.parts.ids,
        );
        Ruling::Judged(self.bound(verdict, beacon, facts))
    }

    /// Refuses what a session or an address has had enough of.
    fn bound(&self, verdict: Verdict, beacon: &Beacon<'_>, facts: &Facts<'_>) -> Verdict {
        let Verdict::Accept(event, _) = &verdict else {
            return verdict;
        };
        let admitted = self
            .sessions
            .admit(event, beacon, facts.address, &self.parts.throttles);
        let Err(reason) = admitted else {
            return verdict;
        };
        let page = match (&beacon.content, beacon.named()) {
            (Content::Session(session), _) => session.page,
            (_, named) => named.map(|name| name.page),
        };
        Verdict::Refuse(Refusal {
            reason,
            page: page.and_then(|page| self.parts.directory.page(page)),
            answer: Answer::unseen(beacon.kind()),
        })
    }

    /// Waits until the directory knows all of that, or [`DIRECTORY_WAIT`] is over.
    pub(crate) async fn await_known(&self, missing: &[Missing]) {
        if missing.is_empty() {
            return;
        }
        let known = |directory: &Directory| {
            let all = missing.iter().all(|missing| match *missing {
                Missing::Page(page) => directory.page(page).is_some(),
                Missing::Workspace(workspace) => directory.workspace(workspace).is_some(),
            });
            all.then_some(())
        };
        // Whether it came in time, the next judgement shows.
        let _ = self.parts.directory.wait_for(DIRECTORY_WAIT, known).await;
    }

    /// A beacon is answered and not counted.
    pub(crate) fn refuse(&self, refusal: &Refusal, ticket: Ticket, now: Timestamp) {
        if let Some(page) = refusal.page {
            self.refusals.add(page, refusal.reason, now);
        }
        ticket.refuse(refusal.reason);
    }

    /// Publishes events in one go and settles their tickets; one result each, in their order.
    pub(crate) async fn deliver(
        &self,
        events: Vec<(Box<Event>, Ticket)>,
    ) -> Vec<Result<(), NotDurable>> {
        let count = events.len();
        if count == 0 {
            return Vec::new();
        }
        let mut outgoing = Vec::with_capacity(count);
        let mut tickets = Vec::with_capacity(count);
        for (event, mut ticket) in events {
            match event.to_bytes() {
                Ok(payload) => {
                    let key = event.workspace_id.to_string();
                    outgoing.push(Outgoing { key, payload });
                    ticket.otherwise(Outcome::Overloaded);
                    tickets.push(ticket);
                }
                // Events made of these types are always JSON.
                Err(error) => {
                    error!("an event cannot be written: {error}");
                    return vec![Err(NotDurable(error.to_string())); count];
                }
            }
        }
        let sink = Arc::clone(&self.parts.sink);
        // A task of its own: a client that hangs up must not leave an event without an outcome.
        let delivery = self.deliveries.spawn(async move {
            let started = Instant::now();
            let results = sink.publish(&outgoing).await;
            metrics::histogram!("ingest_publish_seconds").record(started.elapsed().as_secs_f64());
            for (ticket, result) in tickets.into_iter().zip(&results) {
                ticket.settle(match result {
                    Ok(()) => Outcome::Accepted,
                    Err(_) => Outcome::Overloaded,
                });
            }
            results
        });
        delivery.await.unwrap_or_else(|error| {
            error!("a delivery crashed: {error}");
            vec![Err(NotDurable("the delivery crashed".to_owned())); count]
        })
    }
}
