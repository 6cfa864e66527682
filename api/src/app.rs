//! The state that every handler uses: two databases, limits, clock and ids.
//!
//! Owns no route and no table. The one rule: a handler reaches a database through
//! [`Database::pool`], which fails until the schema exists, so that the request gets a 503 instead
//! of a 500.

use crate::{
    auth::{Plan, Sharer},
    dns::Resolver,
    short_urls::ShortUrls,
    turns::Turns,
    webhooks::Webhooks,
    words::Words,
};
use axum::extract::Request;
use runtime::{
    Clock, IdSource,
    http::{ApiError, Peer, TrustedProxies},
    jwt::Gate,
    throttle::Throttles,
};
use schemas::{IdMaker, Keyring};
use sqlx::PgPool;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use tokio::sync::{Notify, watch};

/// The state of every route.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) main: Database,
    pub(crate) analytics: Database,
    /// Cancels statements at the analytics database whose requests have ended.
    pub(crate) canceller: PgPool,
    /// Decides which reports run there, and which wait. By workspace number.
    pub(crate) report_turns: Turns<i32>,
    /// Decides which commands run at the main database, and which wait.
    pub(crate) command_turns: Turns<Sharer>,
    pub(crate) gate: Gate,
    pub(crate) throttles: Throttles,
    /// Signs the cursors of the events API.
    pub(crate) cursors: Keyring,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) max_links: u32,
    pub(crate) max_pages: u32,
    /// The plan of new workspaces.
    pub(crate) plan: Plan,
    /// The plans that owners may choose.
    pub(crate) owner_plans: Vec<Plan>,
    /// The host of `PUBLIC_URL`.
    pub(crate) public_host: String,
    /// Finds the proofs of domains.
    pub(crate) resolver: Resolver,
    pub(crate) words: Words,
    pub(crate) short_urls: ShortUrls,
    pub(crate) proxies: TrustedProxies,
    /// Verifies the ids of clicks.
    pub(crate) clicks: IdMaker,
    /// Wakes the publisher of events after a commit.
    pub(crate) events_waiting: Arc<Notify>,
    pub(crate) webhooks: Webhooks,
}

impl App {
    /// The address of a request's client.
    pub(crate) fn client(&self, request: &Request) -> IpAddr {
        // Our own listeners always set the peer.
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        self.proxies.client(peer, request.headers())
    }
}

/// A database that may not be usable yet. Clones share its state.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    name: &'static str,
    pool: PgPool,
    usable: Arc<watch::Sender<bool>>,
}

impl Database {
    pub(crate) fn new(name: &'static str, pool: PgPool) -> Self {
        let usable = Arc::new(watch::Sender::new(false));
        Self { name, pool, usable }
    }

    /// The name that `/ready` shows.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// The pool, once the schema exists; before, 503.
    pub(crate) fn pool(&self) -> Result<&PgPool, ApiError> {
        if *self.usable.borrow() {
            Ok(&self.pool)
        } else {
            let inside = format!("the {} is unavailable or not migrated yet", self.name);
            Err(ApiError::unavailable(inside))
        }
    }

    /// The pool in any state, for the code that makes it usable.
    pub(crate) const fn raw_pool(&self) -> &PgPool {
        &self.pool
    }

    /// Admits requests from now on.
    pub(crate) fn set_usable(&self) {
        self.usable.send_replace(true);
    }

    /// Completes when the database is usable.
    pub(crate) async fn usable(&self) {
        // The sender lives in `self`, so this never fails.
        let _ = self.usable.subscribe().wait_for(|usable| *usable).await;
    }
}
