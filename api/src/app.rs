//! What every handler works with: two databases, who may call how often, time and ids.
//!
//! Owns no route and no table. The one rule: a database is reached through [`Database::pool`], which
//! refuses while its schema is not there, so that a request is told 503 and not 500.

use crate::{turns::Turns, words::Words};
use axum::extract::Request;
use runtime::{
    Clock, IdSource,
    http::{ApiError, Peer, TrustedProxies},
    jwt::Gate,
    throttle::Throttles,
};
use sqlx::PgPool;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use tokio::sync::watch;

/// The state of every route.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) main: Database,
    pub(crate) analytics: Database,
    /// Cancels statements there whose requests have ended.
    pub(crate) canceller: PgPool,
    /// Whose reports run there, and whose wait.
    pub(crate) turns: Turns,
    pub(crate) gate: Gate,
    pub(crate) throttles: Throttles,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) max_links: u32,
    pub(crate) max_pages: u32,
    pub(crate) words: Words,
    pub(crate) proxies: TrustedProxies,
}

impl App {
    /// The address of a request's client.
    pub(crate) fn client(&self, request: &Request) -> IpAddr {
        // Only a listener that is not ours leaves the peer out.
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        self.proxies.client(peer, request.headers())
    }
}

/// A database that may not be there yet; clones are the same one.
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

    /// The pool, once the schema is there; until then 503.
    pub(crate) fn pool(&self) -> Result<&PgPool, ApiError> {
        if *self.usable.borrow() {
            Ok(&self.pool)
        } else {
            let inside = format!("the {} is not there yet or not migrated", self.name);
            Err(ApiError::unavailable(inside))
        }
    }

    /// The pool in whatever state, for those who make it usable.
    pub(crate) const fn raw_pool(&self) -> &PgPool {
        &self.pool
    }

    /// Lets requests through from now on.
    pub(crate) fn set_usable(&self) {
        self.usable.send_replace(true);
    }

    /// Completes when the schema is there.
    pub(crate) async fn usable(&self) {
        // The sender lives in `self`, so this fails never.
        let _ = self.usable.subscribe().wait_for(|usable| *usable).await;
    }
}
