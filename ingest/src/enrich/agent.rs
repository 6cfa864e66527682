//! Parses `User-Agent` headers: browser, system, device, and whether a machine sent them.
//!
//! Owns the parsing rules and a bounded memory of agents seen. The one rule: an agent is cut to
//! [`MAX_AGENT_BYTES`] before any rule reads it, so a long header cannot take our time.

use super::{
    Claims,
    bots::{self, BotRules},
    device, facebook, in_app, maker,
    signals::BotSignals,
    system, systems,
};
use moka::sync::Cache;
use schemas::{Agent, Device, values::Spelling};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use thiserror::Error;
use ua_parser::{Extractor, Regexes};

/// The rules published by the ua-parser project; see `ingest/data/NOTICE.md`.
const RULES: &str = include_str!("../../data/uap-core-regexes.yaml");

/// The version of the rules. The number after `+` is the revision of the code on top of them: this
/// module, [`super::device`], [`super::facebook`], [`super::in_app`], [`super::maker`] and
/// [`super::systems`].
pub(super) const VERSION: &str = "uap-core 0.18.0+5";

/// Longest part of an agent that is parsed. Agents of browsers are below 300 bytes and those of
/// in-app browsers below 700; longer ones are noise or an attempt to overload us.
pub const MAX_AGENT_BYTES: usize = 1_024;

/// Number of agents remembered. The visitors of a bio page share some hundreds. An entry takes up
/// to 2 KB, so a flood of invented agents costs at most 20 MB.
const REMEMBERED: u64 = 10_000;

/// The rules' name for every WebKit without a name of its own: Mail, but also any web view.
const NAMELESS_WEBKIT: &str = "Apple Mail";

/// The result of parsing an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedAgent {
    known: Agent,
    signals: BotSignals,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Presence {
    #[default]
    Absent,
    Unknown,
    Recognised,
}

/// The bundled rules are unusable. Only a program built with damaged data files has this error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the bundled {what} cannot be used: {reason}")]
pub struct RulesError {
    what: &'static str,
    reason: String,
}

impl RulesError {
    fn agents(error: impl fmt::Display) -> Self {
        Self {
            what: "user-agent rules",
            reason: error.to_string(),
        }
    }

    fn bots(error: impl fmt::Display) -> Self {
        Self {
            what: "crawler list",
            reason: error.to_string(),
        }
    }
}

impl ParsedAgent {
    /// Why a machine might have sent this agent.
    #[must_use]
    pub fn signals(&self) -> BotSignals {
        self.signals
    }

    /// Browser, system and device. For each member, the agent takes precedence over the client's
    /// claim. A claimed device counts only if there is no agent or it is not recognised.
    #[must_use]
    pub fn with_claims(&self, claims: &Claims<'_>) -> Agent {
        let mut agent = self.known.clone();
        if self.presence != Presence::Recognised {
            agent.device = claims.device().or(match self.presence {
                Presence::Absent => None,
                Presence::Unknown | Presence::Recognised => Some(Device::Desktop),
            });
        }
        agent.browser = agent.browser.or_else(|| name(claims.browser));
        // A version belongs to its system. The claimed version of another system would be wrong.
        let claimed_os = name(claims.os);
        let one_system = agent.os.is_none() || same(agent.os.as_deref(), claimed_os.as_deref());
        if agent.os_version.is_none() && one_system {
            agent.os_version = name(claims.os_version);
        }
        agent.os = agent.os.or(claimed_os);
        if agent.model.is_none() {
            let (brand, model) = maker::claimed(name(claims.model));
            agent.brand = agent.brand.or(brand);
            agent.model = model;
        }
        agent
    }
}

/// Parses agents and remembers the results.
pub struct Agents {
    rules: Arc<Rules>,
    seen: Cache<String, Arc<ParsedAgent>>,
    absent: Arc<ParsedAgent>,
}

struct Rules {
    extractor: Extractor<'static>,
    bots: BotRules,
}

impl Agents {
    /// Makes a parser with the bundled rules, compiled once per process, and an empty memory.
    ///
    /// # Errors
    /// [`RulesError`] only when the program was built with damaged data files.
    pub fn bundled() -> Result<Self, RulesError> {
        static LOADED: OnceLock<Result<Arc<Rules>, RulesError>> = OnceLock::new();
        Ok(Self {
            rules: LOADED.get_or_init(|| Rules::load().map(Arc::new)).clone()?,
            seen: Cache::new(REMEMBERED),
            absent: Arc::new(ParsedAgent {
                signals: BotSignals::NO_AGENT,
                ..ParsedAgent::default()
            }),
        })
    }

    /// Parses the header. An empty one counts as absent.
    #[must_use]
    pub fn parse(&self, header: Option<&str>) -> Arc<ParsedAgent> {
        let agent = cut(header.unwrap_or_default().trim());
        if agent.is_empty() {
            return Arc::clone(&self.absent);
        }
        self.seen
            .get_with_by_ref(agent, || Arc::new(self.rules.parse(agent)))
    }
}

impl fmt::Debug for Agents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agents")
            .field("remembered", &self.seen.entry_count())
            .finish_non_exhaustive()
    }
}

impl Rules {
    fn load() -> Result<Self, RulesError> {
        let rules: Regexes<'static> = serde_norway::from_str(RULES).map_err(RulesError::agents)?;
        Ok(Self {
            extractor: Extractor::try_from(rules).map_err(RulesError::agents)?,
            bots: BotRules::load().map_err(RulesError::bots)?,
        })
    }

    fn parse(&self, agent: &str) -> ParsedAgent {
        let mut signals = self.bots.judge(agent);
        let (browser, os, device) = self.extractor.extract(agent);
        let plain;
        let browser = match browser {
            // The rules mistake a phone called "M bot 60" for a crawler of that name.
            Some(found) if !signals.refuses() && self.bots.names_a_bot(&found.family) => {
                plain = bots::without_phone_names(agent);
                self.extractor.ua.extract(&plain)
            }
            found => found,
        };
        let mut known = Agent::default();
        // If the rules recognise the same app, their version is used.
        let app = in_app::name(agent)
            .filter(|(app, _)| browser.as_ref().is_none_or(|found| found.family != *app));
        if let Some((app, version)) = app {
            known.browser = Some(app.to_owned());
            let version = version.trim_start_matches([']', '/', ' ']);
            known.browser_version = system::number(version).and_then(|number| name(Some(number)));
        } else if let Some(browser) = browser.filter(|browser| browser.family != NAMELESS_WEBKIT) {
            known.browser = name(Some(&browser.family));
            // A version without its browser would be meaningless.
            known.browser_version = known.browser.as_ref().and_then(|_| {
                version([
                    browser.major,
                    browser.minor,
                    browser.patch,
                    browser.patch_minor,
                ])
            });
        }
        if let Some(os) = os {
            known.os = name(Some(&os.os));
            known.os_version = known.os.as_ref().and_then(|_| {
                version([
                    os.major.as_deref(),
                    os.minor.as_deref(),
                    os.patch.as_deref(),
                    os.patch_minor.as_deref(),
                ])
            });
        }
        let found = known
            .os
            .as_deref()
            .map(|os| (os, known.os_version.as_deref()));
        if let Some(system) = systems::correct(agent, found) {
            known.os = Some(system.name.to_owned());
            known.os_version = system.version.and_then(|number| name(Some(&number)));
        }
        if systems::is_ipad_as_mac(agent) {
            (known.brand, known.model) = (Some("Apple".to_owned()), Some("iPad".to_owned()));
            if known.browser.as_deref() == Some("Safari") {
                known.browser = Some("Mobile Safari".to_owned());
            }
        } else if let Some(device) = device {
            let (brand, model) = (device.brand.as_deref(), device.model.as_deref());
            (known.brand, known.model) = maker::maker(name(brand), name(model));
        } else if let Some(model) = facebook::model(agent) {
            (known.brand, known.model) = maker::of_model(name(Some(model)));
        }
        let kind = device::kind(agent);
        let recognised = kind.is_some() || known.browser.is_some() || known.os.is_some();
        // A recognised agent without a kind of device is judged by its system; all else is a
        // desktop.
        let presence = if recognised {
            known.device = kind.or(Some(match known.os.as_deref() {
                Some("iOS") => Device::Mobile,
                Some("iPadOS") => Device::Tablet,
                _ => Device::Desktop,
            }));
            Presence::Recognised
        } else {
            signals = signals.and(BotSignals::UNKNOWN_AGENT);
            Presence::Unknown
        };
        ParsedAgent {
            known,
            signals,
            presence,
        }
    }
}

/// The part of an agent that is parsed.
pub(super) fn cut(agent: &str) -> &str {
    agent
        .get(..agent.floor_char_boundary(MAX_AGENT_BYTES))
        .unwrap_or(agent)
}

/// A known name. The rules give "Other" for an unknown one.
fn name(text: Option<&str>) -> Option<String> {
    Spelling::Name.of(text?).filter(|name| name != "Other")
}

fn same(known: Option<&str>, claimed: Option<&str>) -> bool {
    known
        .zip(claimed)
        .is_some_and(|(known, claimed)| known.eq_ignore_ascii_case(claimed))
}

/// The dotted version, up to the first missing part.
fn version(parts: [Option<&str>; 4]) -> Option<String> {
    let parts: Vec<&str> = parts
        .into_iter()
        .map_while(|part| part.filter(|part| !part.is_empty()))
        .collect();
    name(Some(&parts.join(".")))
}
