//! The pipeline that every beacon passes through: trace, throttle, judge, wait, deliver.
//!
//! A single beacon passes alone and a batch as a group, from the first stage to the last. A visit of
//! history passes through tracing and judging only: the import waits and publishes in its own way.

mod deliver;
pub(crate) mod judge;
pub(crate) mod passage;
pub(crate) mod throttle;
mod wait;

pub use wait::DIRECTORY_WAIT;

use crate::{
    accept::{Acceptor, Rules},
    directory::Directory,
    enrich::GeoDatabase,
    outcome::{Outcome, Outcomes},
    refusals::{Refusals, Which},
    sessions::Sessions,
    sink::Sink,
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
};
use throttle::Limits;

/// What an intake is made of.
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
    /// An instance of these parts. Starts nothing.
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

    /// Takes the beacons of one group through every stage. Each ends with a fate that can be answered.
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
        if wait::until_known(&self.directory, passages).await {
            judge.pass(passages);
            self.settle(passages);
        }
        self.deliveries.deliver(passages).await;
    }

    /// Counts the beacons that no event comes of. What is still unknown counts as such when its ticket is
    /// dropped.
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

    /// What became of the beacons so far.
    #[must_use]
    pub fn outcomes(&self) -> &Arc<Outcomes> {
        &self.outcomes
    }

    /// Pages and workspaces.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Refused beacons that are not in the log yet.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// How often beacons may come.
    #[must_use]
    pub fn throttles(&self) -> &Throttles {
        &self.throttles
    }

    /// Judges with another `GeoIP` database from now on.
    pub fn use_geo(&self, geo: &GeoDatabase) {
        self.acceptor.rcu(|acceptor| acceptor.with_geo(geo.clone()));
    }

    /// Publishes sums of refused beacons.
    pub async fn publish_refusals(&self, which: Which) {
        let now = self.now();
        self.refusals
            .publish(which, self.deliveries.sink(), &*self.ids, now)
            .await;
    }

    /// Completes when every event that was handed to the sink is settled. None may come any more.
    pub async fn finish_deliveries(&self) {
        self.deliveries.finish().await;
    }

    pub(crate) const fn rules(&self) -> Rules {
        self.rules
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn client(&self, peer: Option<&Peer>, headers: &HeaderMap) -> IpAddr {
        // Only a listener that is not ours leaves the peer out.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        self.proxies.client(peer, headers)
    }

    /// The subject of the request's token.
    pub(crate) fn user(&self, headers: &HeaderMap, address: IpAddr) -> Result<String, Refused> {
        let claims = self.gate.admit(headers, address)?;
        Ok(claims.sub)
    }

    pub(crate) fn acceptor(&self) -> Arc<Acceptor> {
        self.acceptor.load_full()
    }
}
