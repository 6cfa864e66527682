//! Enriches a visit: visitor, place, source, device, and whether a machine sent it.
//!
//! Pure functions over data loaded at start: no clock, no network, no HTTP types. The one rule:
//! addresses, agents and raw ids are inputs only. No result and no log line contains them.

pub mod agent;
pub mod arrival;
pub mod bots;
mod device;
mod facebook;
pub mod geo;
mod in_app;
mod maker;
pub mod networks;
pub mod referrer;
pub mod signals;
mod sources;
mod system;
mod systems;
pub mod utm;
pub mod visitor;

#[cfg(test)]
mod agent_tests;
#[cfg(test)]
mod arrival_tests;
#[cfg(test)]
mod bots_tests;
#[cfg(test)]
mod enricher_tests;
#[cfg(test)]
mod geo_tests;
#[cfg(test)]
pub(crate) mod mmdb_fixture;
#[cfg(test)]
mod referrer_tests;

pub use agent::{Agents, ParsedAgent, RulesError};
pub use geo::{GeoDatabase, GeoError};
pub use networks::{Networks, NetworksError};
pub use referrer::Referrer;
pub use signals::{BotSignals, PurposeHeaders};
pub use utm::Landing;
pub use visitor::{NotOneSecret, VisitorHasher};

use schemas::{
    Agent, Device, EnrichmentVersions, Place, Screen, Visitor, WorkspaceId, values::Spelling,
};
use std::{net::IpAddr, sync::Arc, thread};

/// All data for enrichment, loaded. Clones share it.
#[derive(Clone, Debug)]
pub struct Enricher {
    geo: GeoDatabase,
    agents: Arc<Agents>,
    hasher: VisitorHasher,
    networks: Networks,
    versions: EnrichmentVersions,
}

/// What a request shows about the person behind it.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// The client's address, after trusted proxies.
    pub address: IpAddr,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// What the client says about itself in the body.
    pub claims: Claims<'a>,
}

/// What a client says about itself. The server uses a claim only where it cannot see for itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'a> {
    /// `mobile`, `tablet` or `desktop`; any other value is ignored.
    pub device: Option<&'a str>,
    /// Browser family.
    pub browser: Option<&'a str>,
    /// Operating system family.
    pub os: Option<&'a str>,
    /// Operating system version.
    pub os_version: Option<&'a str>,
    /// Model of the device, as `Sec-CH-UA-Model` has it. Chrome's agents name none.
    pub model: Option<&'a str>,
    /// IANA zone.
    pub timezone: Option<&'a str>,
    /// A language tag, or a list of tags as in `Accept-Language`.
    pub language: Option<&'a str>,
    /// Width of the screen in CSS pixels.
    pub screen_width: Option<u32>,
    /// Height of the screen in CSS pixels.
    pub screen_height: Option<u32>,
}

/// How a visitor is identified.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// By the id that the client generated and stores.
    Id(&'a str),
    /// By address and agent, when there is no id.
    AddressAndAgent,
}

/// Loads the bundled data on its own thread. A program that starts other parts first then need not
/// wait for the data afterwards.
pub fn load_early() {
    let load = || {
        sources::load();
        // The code that uses the data reports a failure.
        let _ = (Agents::bundled(), GeoDatabase::bundled());
    };
    // If no thread can start, the data is loaded when it is first used.
    let _ = thread::Builder::new()
        .name("enrichment data".to_owned())
        .spawn(load);
}

impl Enricher {
    /// Makes an enricher with the bundled agent and bot rules, which are compiled once per process.
    ///
    /// # Errors
    /// [`RulesError`] only when the program was built with damaged data files.
    pub fn new(geo: GeoDatabase, hasher: VisitorHasher) -> Result<Self, RulesError> {
        sources::load();
        let versions = EnrichmentVersions {
            geo: geo.version().to_owned(),
            agent: agent::VERSION.to_owned(),
            bots: bots::VERSION.to_owned(),
            referrer: sources::VERSION.to_owned(),
        };
        Ok(Self {
            geo,
            agents: Arc::new(Agents::bundled()?),
            hasher,
            networks: Networks::default(),
            versions,
        })
    }

    /// The same enricher with another GeoIP database. It keeps the memory of parsed agents.
    #[must_use]
    pub fn with_geo(&self, geo: GeoDatabase) -> Self {
        let mut next = self.clone();
        geo.version().clone_into(&mut next.versions.geo);
        next.geo = geo;
        next
    }

    /// The same enricher with another list of networks of machines.
    #[must_use]
    pub fn with_networks(&self, networks: Networks) -> Self {
        let mut next = self.clone();
        next.versions.bots = match networks.version() {
            "" => bots::VERSION.to_owned(),
            version => format!("{}, {version}", bots::VERSION),
        };
        next.networks = networks;
        next
    }

    /// The versions of the data in use, for the envelope of enriched events.
    #[must_use]
    pub fn versions(&self) -> &EnrichmentVersions {
        &self.versions
    }

    /// The hasher of visitors and users.
    #[must_use]
    pub fn hasher(&self) -> &VisitorHasher {
        &self.hasher
    }

    /// Why a machine might have sent a request. [`BotSignals::refuses`] decides.
    #[must_use]
    pub fn signals(
        &self,
        user_agent: Option<&str>,
        purpose: &PurposeHeaders<'_>,
        address: IpAddr,
    ) -> BotSignals {
        let network = if self.networks.contain(address) {
            BotSignals::NETWORK
        } else {
            BotSignals::NONE
        };
        let agent = self.agents.parse(user_agent).signals();
        agent.and(purpose.signals()).and(network)
    }

    /// The place of an address.
    #[must_use]
    pub fn place(&self, address: IpAddr) -> Place {
        self.geo.lookup(address)
    }

    /// Browser, system and device of an agent; the model is that of `Sec-CH-UA-Model`.
    #[must_use]
    pub fn agent(&self, user_agent: Option<&str>, model: Option<&str>) -> Agent {
        let claims = Claims {
            model,
            ..Claims::default()
        };
        self.agents.parse(user_agent).with_claims(&claims)
    }

    /// The person behind a visit, as the log stores them: hash, place, browser and device. A
    /// separate event binds the user later.
    #[must_use]
    pub fn visitor(
        &self,
        workspace: WorkspaceId,
        who: Who<'_>,
        sighting: &Sighting<'_>,
    ) -> Visitor {
        let hash = match who {
            Who::Id(raw_id) => self.hasher.visitor(workspace, raw_id),
            Who::AddressAndAgent => self.hasher.agent(
                workspace,
                sighting.address,
                sighting.user_agent.unwrap_or_default(),
            ),
        };
        let claims = &sighting.claims;
        Visitor {
            hash: Some(hash),
            user_hash: None,
            place: self.geo.lookup(sighting.address),
            agent: self.agents.parse(sighting.user_agent).with_claims(claims),
            language: claims.language.and_then(|tag| Spelling::Language.of(tag)),
            timezone: claims.timezone.and_then(|zone| Spelling::Name.of(zone)),
            screen: claims.screen(),
        }
    }
}

impl Claims<'_> {
    fn device(&self) -> Option<Device> {
        Device::from_name(&self.device?.trim().to_ascii_lowercase())
    }

    /// The screen, if the client gives both sides.
    fn screen(&self) -> Option<Screen> {
        Some(Screen {
            width: self.screen_width?,
            height: self.screen_height?,
        })
    }
}
