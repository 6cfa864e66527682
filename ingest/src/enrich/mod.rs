//! What ingest finds out about a visit: who, from where, on what, and whether it was a person.
//!
//! Pure functions over data loaded at start: no clock, no network, no HTTP types. The one rule:
//! addresses, agents and raw ids come in and never go out, neither in a value nor in a log line.

pub mod agent;
pub mod arrival;
pub mod bots;
mod device;
mod facebook;
pub mod geo;
mod in_app;
mod maker;
pub mod referrer;
pub mod signals;
mod sources;
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
pub use referrer::Referrer;
pub use signals::{BotSignals, PurposeHeaders};
pub use utm::Landing;
pub use visitor::{NotOneSecret, VisitorHasher};

use schemas::{Device, EnrichmentVersions, Screen, Visitor, WorkspaceId, values::Spelling};
use std::{net::IpAddr, sync::Arc, thread};

/// Everything that enriches, loaded; cloning shares it.
#[derive(Clone, Debug)]
pub struct Enricher {
    geo: GeoDatabase,
    agents: Arc<Agents>,
    hasher: VisitorHasher,
    versions: EnrichmentVersions,
}

/// What a request shows of the person behind it.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// The client's address, after trusted proxies.
    pub address: IpAddr,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// What the body says.
    pub claims: Claims<'a>,
}

/// What a client says of itself. Only what the server cannot see is taken over from it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'a> {
    /// `mobile`, `tablet` or `desktop`; anything else says nothing.
    pub device: Option<&'a str>,
    /// Browser family.
    pub browser: Option<&'a str>,
    /// Operating system family.
    pub os: Option<&'a str>,
    /// Operating system version.
    pub os_version: Option<&'a str>,
    /// IANA zone.
    pub timezone: Option<&'a str>,
    /// A language tag, or a list of them as `Accept-Language` has it.
    pub language: Option<&'a str>,
    /// Width of the screen in CSS pixels.
    pub screen_width: Option<u32>,
    /// Height of the screen in CSS pixels.
    pub screen_height: Option<u32>,
}

/// How a visitor is known.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// By the id that the client made up and keeps.
    Id(&'a str),
    /// By address and agent, where there is nothing better.
    AddressAndAgent,
}

/// Loads the bundled data on a thread of its own, so that a program that starts other parts first does not
/// wait for it afterwards.
pub fn load_early() {
    let load = || {
        sources::load();
        // A failure is reported where the data is used.
        let _ = (Agents::bundled(), GeoDatabase::bundled());
    };
    // Without a thread the data is loaded where it is used.
    let _ = thread::Builder::new()
        .name("enrichment data".to_owned())
        .spawn(load);
}

impl Enricher {
    /// With the bundled agent and bot rules, which are compiled once per process.
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
            versions,
        })
    }

    /// The same with another GeoIP database; agents seen stay known.
    #[must_use]
    pub fn with_geo(&self, geo: GeoDatabase) -> Self {
        let mut next = self.clone();
        geo.version().clone_into(&mut next.versions.geo);
        next.geo = geo;
        next
    }

    /// The data in use, for the envelope of enriched events.
    #[must_use]
    pub fn versions(&self) -> &EnrichmentVersions {
        &self.versions
    }

    /// Makes the hashes of visitors and users.
    #[must_use]
    pub fn hasher(&self) -> &VisitorHasher {
        &self.hasher
    }

    /// Why a request might be a machine's; [`BotSignals::refuses`] decides.
    #[must_use]
    pub fn signals(&self, user_agent: Option<&str>, purpose: &PurposeHeaders<'_>) -> BotSignals {
        self.agents
            .parse(user_agent)
            .signals()
            .and(purpose.signals())
    }

    /// The person behind a visit, as the log holds them: hashed, placed, and with what they browse
    /// on. The user is bound later, by an event of its own.
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

    /// Both sides or nothing.
    fn screen(&self) -> Option<Screen> {
        Some(Screen {
            width: self.screen_width?,
            height: self.screen_height?,
        })
    }
}
