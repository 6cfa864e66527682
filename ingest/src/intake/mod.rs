//! The pipeline of every beacon: trace, throttle, judge, wait, deliver.
//!
//! A single beacon passes alone, and a batch passes as a group, through all stages. A visit of
//! history passes through tracing and judging only, because the import has its own way to wait and
//! publish.

mod deliver;
pub(crate) mod judge;
pub(crate) mod passage;
pub(crate) mod throttle;
mod wait;

pub use wait::DIRECTORY_WAIT;

use crate::{
    accept::{Acceptor, Rules},
    directory::Directory,
    enrich::{GeoDatabase, Networks},
    outcome::{Outcome, Outcomes},
    refusals::{Refusals, Which},
    sessions::Sessions,
    sink::{NotDurable, Outgoing, Sink},
};
use arc_swap::ArcSwap;
use axum::http::HeaderMap;
use deliver::Deliveries;
use jiff::Timestamp;
use judge::{Group, Judge};
use passage::{Fate, Passage};
use runtime::{
    Clock, IdSource,
    http::{Peer, TrustedProxies},
    jwt::{Gate, Refused, Verifier},
    throttle::Throttles,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};
use throttle::Limits;

/// The parts of an intake.
#[derive(Debug)]
pub struct Parts {
    /// Judges beacons.
    pub acceptor: Acceptor,
    /// Pages, workspaces and links.
    pub directory: Arc<Directory>,
    /// Receives the events.
    pub sink: Arc<dyn Sink>,
    /// The rate limits of beacons.
    pub throttles: Throttles,
    /// Checks tokens of signed-in visitors.
    pub jwt: Verifier,
    /// The proxies whose forwarded addresses are trusted.
    pub proxies: TrustedProxies,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdSource>,
}

/// One instance of ingest behind its routes.
#[derive(Debug)]
pub struct Intake {
    acceptor: ArcSwap<Acceptor>,
    rules: Rules,
    directory: Arc<Directory>,
    throttles: Throttles,
    gate: Gate,
    proxies: TrustedProxies,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    outcomes: Arc<Outcomes>,
    refusals: Refusals,
    sessions: Sessions,
    deliveries: Deliveries,
}

impl Intake {
    /// Makes an instance from these parts. Starts nothing.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let (throttles, clock) = (parts.throttles, parts.clock);
        Self {
            rules: parts.acceptor.rules(),
            acceptor: ArcSwap::from_pointee(parts.acceptor),
            directory: parts.directory,
            gate: Gate::new(parts.jwt, throttles.clone(), Arc::clone(&clock)),
            throttles,
            proxies: parts.proxies,
            clock,
            ids: parts.ids,
            outcomes: Arc::default(),
            refusals: Refusals::default(),
            sessions: Sessions::default(),
            deliveries: Deliveries::new(parts.sink),
        }
    }

    /// Takes the beacons of one group through every stage. Each ends with a fate that has an
    /// answer.
    pub(crate) async fn take(&self, passages: &mut [Passage<'_>], group: Group) {
        let acceptor = self.acceptor();
        let mut judge = Judge {
            acceptor: &acceptor,
            directory: &self.directory,
            ids: &*self.ids,
            limits: Some(Limits {
                throttles: &self.throttles,
                sessions: &self.sessions,
            }),
            group,
        };
        judge.pass(passages);
        self.settle(passages);
        // Refused beacons are settled before the wait: a client that disconnects meanwhile must not
        // change their outcome.
        if wait::until_known(&self.directory, passages).await {
            judge.pass(passages);
            self.settle(passages);
        }
        self.deliveries.deliver(passages).await;
    }

    /// Counts the beacons that produce no event. A beacon that stays unknown is counted when its
    /// ticket is dropped.
    fn settle(&self, passages: &mut [Passage<'_>]) {
        for passage in passages {
            match passage.fate {
                Fate::Refused(refusal) => {
                    let Some(ticket) = passage.ticket.take() else {
                        continue;
                    };
                    if let Some(page) = refusal.page {
                        let now = passage.facts.received_at;
                        self.refusals.add(page, refusal.reason, now);
                    }
                    ticket.refuse(refusal.reason);
                }
                Fate::Forged(_) => passage.settle(Outcome::Forged),
                Fate::Throttled(_) => passage.settle(Outcome::Throttled),
                Fate::Open
                | Fate::Unknown(_)
                | Fate::Accepted(..)
                | Fate::Kept(_)
                | Fate::Lost(_) => {}
            }
        }
    }

    /// The outcomes of the beacons so far.
    #[must_use]
    pub fn outcomes(&self) -> &Arc<Outcomes> {
        &self.outcomes
    }

    /// Pages, workspaces and links.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Refused beacons that are not in the log yet.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// The rate limits of beacons.
    #[must_use]
    pub fn throttles(&self) -> &Throttles {
        &self.throttles
    }

    /// Uses another `GeoIP` database from now on.
    pub fn use_geo(&self, geo: &GeoDatabase) {
        self.acceptor.rcu(|acceptor| acceptor.with_geo(geo.clone()));
    }

    /// Uses another list of networks of machines from now on.
    pub fn use_networks(&self, networks: &Networks) {
        self.acceptor
            .rcu(|acceptor| acceptor.with_networks(networks.clone()));
    }

    /// Publishes sums of refused beacons.
    pub async fn publish_refusals(&self, which: Which) {
        let now = self.now();
        self.refusals
            .publish(which, self.deliveries.sink(), &*self.ids, now)
            .await;
    }

    /// Waits until every event handed to the sink is settled. No beacon may be taken any more.
    pub async fn finish_deliveries(&self) {
        self.deliveries.finish().await;
    }

    /// Runs a task that publishes an event without a waiting client. A stop of the program waits for it.
    pub(crate) fn deliver_later(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.deliveries.later(task);
    }

    pub(crate) async fn publish_one(&self, event: &Outgoing) -> Result<(), NotDurable> {
        self.deliveries.publish_one(event).await
    }

    pub(crate) fn ids(&self) -> &dyn IdSource {
        &*self.ids
    }

    pub(crate) const fn rules(&self) -> Rules {
        self.rules
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time since a fixed moment, which never goes back.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(crate) fn client(&self, peer: Option<&Peer>, headers: &HeaderMap) -> IpAddr {
        self.proxies.client(peer_address(peer), headers)
    }

    /// The host that a client asked for, as sent.
    pub(crate) fn host<'a>(&self, peer: Option<&Peer>, headers: &'a HeaderMap) -> Option<&'a str> {
        self.proxies.host(peer_address(peer), headers)
    }

    /// Verifies the request's token and returns its subject.
    pub(crate) fn user(&self, headers: &HeaderMap, address: IpAddr) -> Result<String, Refused> {
        let claims = self.gate.admit(headers, address)?;
        Ok(claims.sub)
    }

    pub(crate) fn acceptor(&self) -> Arc<Acceptor> {
        self.acceptor.load_full()
    }
}

/// Our own listener always sets the peer.
fn peer_address(peer: Option<&Peer>) -> IpAddr {
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())
}
