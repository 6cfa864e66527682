//! Is this a machine, and why: a verdict as named bits, from the agent and the headers.
//!
//! Owns the crawler list and the rules beside it. The one rule: a person is worth more than a bot.
//! Bio pages are mostly opened inside other apps, so a name that people's browsers carry too is kept
//! as a signal and refuses nobody.

use super::rules::RulesError;
use regex::{Regex, RegexSet};
use std::fmt;

/// One `kind<TAB>pattern` per line; see `ingest/data/NOTICE.md` for where it comes from.
const CRAWLERS: &str = include_str!("../../data/crawlers.txt");

/// The crawler list, and after `+` the revision of the rules in this file.
pub(super) const VERSION: &str = "crawler-user-agents 1.60.0+1";

/// Why a request might be a machine's; a set of the constants below. The lower 16 bits refuse a
/// visit, the upper 16 only tell.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BotSignals(u32);

/// Every bit with its name, lowest first.
const NAMES: &[(BotSignals, &str)] = &[
    (BotSignals::CRAWLER, "crawler"),
    (BotSignals::LINK_PREVIEW, "link_preview"),
    (BotSignals::HTTP_LIBRARY, "http_library"),
    (BotSignals::HEADLESS, "headless"),
    (BotSignals::MONITOR, "monitor"),
    (BotSignals::PREFETCH, "prefetch"),
    (BotSignals::SELF_DECLARED, "self_declared"),
    (BotSignals::NO_AGENT, "no_agent"),
    (BotSignals::UNKNOWN_AGENT, "unknown_agent"),
    (BotSignals::LISTED_NAME, "listed_name"),
    (BotSignals::APP_CLIENT, "app_client"),
];

impl BotSignals {
    /// Nothing seen.
    pub const NONE: Self = Self(0);
    /// On the crawler list: search engines, SEO, archives, scanners, AI.
    pub const CRAWLER: Self = Self(1);
    /// Fetches a page to show a preview of its link.
    pub const LINK_PREVIEW: Self = Self(1 << 1);
    /// A program's HTTP client (`curl`, `python-requests`).
    pub const HTTP_LIBRARY: Self = Self(1 << 2);
    /// A browser without a person: headless or driven by a test tool.
    pub const HEADLESS: Self = Self(1 << 3);
    /// Checks that a page is up, or how fast.
    pub const MONITOR: Self = Self(1 << 4);
    /// Fetched before anybody asked for it, by the request's own header.
    pub const PREFETCH: Self = Self(1 << 5);
    /// The agent itself says bot, crawler, spider or scraper.
    pub const SELF_DECLARED: Self = Self(1 << 6);
    /// No agent at all. Only a signal: privacy tools strip it.
    pub const NO_AGENT: Self = Self(1 << 16);
    /// An agent that no rule recognises. Only a signal: browsers come up with new ones.
    pub const UNKNOWN_AGENT: Self = Self(1 << 17);
    /// A name of the crawler list in an agent that people browse with. Only a signal.
    pub const LISTED_NAME: Self = Self(1 << 18);
    /// An app's own HTTP client rather than a browser in it. Only a signal: apps show pages too.
    pub const APP_CLIENT: Self = Self(1 << 19);

    const REFUSING: u32 = 0xffff;

    /// The set as the log holds it.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// True when at least one reason is enough not to count the visit.
    #[must_use]
    pub const fn refuses(self) -> bool {
        self.0 & Self::REFUSING != 0
    }

    /// True when every reason of `other` is among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The reasons by name, as metrics and reports show them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .filter(move |(signal, _)| self.contains(*signal))
            .map(|(_, name)| *name)
    }
}

impl fmt::Debug for BotSignals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Headers in which browsers say that nobody asked for this request yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct PurposeHeaders<'a> {
    /// `Sec-Purpose`: `prefetch`, `prefetch;prerender`.
    pub sec_purpose: Option<&'a str>,
    /// `Purpose`, as Chrome sent it before: `prefetch`.
    pub purpose: Option<&'a str>,
    /// `X-Moz`, as Firefox sent it before: `prefetch`.
    pub x_moz: Option<&'a str>,
}

impl PurposeHeaders<'_> {
    /// [`BotSignals::PREFETCH`] when any of them says so.
    #[must_use]
    pub fn signals(&self) -> BotSignals {
        let ahead = [self.sec_purpose, self.purpose, self.x_moz]
            .into_iter()
            .flatten()
            .filter_map(|header| header.split([';', ',']).next())
            .any(|purpose| {
                ["prefetch", "prerender", "preview"]
                    .iter()
                    .any(|word| purpose.trim().eq_ignore_ascii_case(word))
            });
        if ahead {
            BotSignals::PREFETCH
        } else {
            BotSignals::NONE
        }
    }
}

/// Patterns of the list that also match what people browse with: in-app browsers, phones and build
/// numbers, apps that fetch and browse under one name. In the agent of a browser they are only a
/// [`BotSignals::LISTED_NAME`]. Each was found by running the list over agents of real people, or
/// names a product that has a browser for people.
#[rustfmt::skip]
const AMBIGUOUS: &[&str] = &[
    // Not bots at all: an Android build number, Facebook's in-app browser, an HTC phone, ViewSonic.
    r"AP3A\.240617\.008", "MetaIAB Facebook", "Butterfly", "Sonic", r"008\/",
    // Messengers, networks and readers whose apps open pages for people.
    "WhatsApp", "Viber", r"Valve\/Steam", r"Tumblr\/", r"Bluesky\/", "Mastodon", "Lemmy", "Friendica",
    "Goodreads", "Disqus", "Hatena", r"Notion\/", "Synapse", "FastmailUA", "Feedly", "Fever",
    "Netvibes", "NewsBlur", "inoreader", r"Instapaper\/", r"Overcast\/", r"PocketCasts\/", "Podimo",
    r"upday\/", r"mail\.ru", "NextCloud", "AllAfrica", "Tweakers", r"Grammarly\/", r"PayPal\/",
    r"Klaviyo\/", r"Stripe\/", r"Trustly\/", "GoPay", "Jumio", "HubSpot", "Webflow", r"WordPress\/",
    r"Asana\/", "Zapier", r"IFTTT\/", "Blackboard", "CapitalOneShopping", r"Salesforce\.com", r"NING\/",
    // Browsers.
    "Sogou", r"Freespoke\/", "Swisscows", "Genieo", "Teoma", "Fluid", r"Code\/1\.", "DMBrowser", "okhttp",
    // Words short or common enough to stand in a model's or an app's name.
    "Adventurer", "Bushbaby", "Charlotte", "Magellan", "Expanse", "Moreover", "Trove", "Upflow",
    "Hotjar", "Hello World", "Watchful", "Termly", "Determ", "[cC]ludo", "linko", "fluffy", "speedy",
    "yanga", "eright", "Yeti", "Authory", "Wayback", "Splunk", "Qualys", "Chirp|gotosocial",
    r"Make\/", r"RED\/", r"BW\/", r"Fetch\/", r"Dlc\/", r"s4a\/", r"WSM\/", r"Buck\/", r"Vigil\/",
    r"Uptime\/", r"Spectate\/", r"Operator\/", r"Readable\/", r"Potions\/", r"Grover\/", r"Retool\/",
    r"Stape\/", r"Aragog\/", r"Trae\/", r"Golfe\/", r"Verity\/", "Odin;", "ds9 ", "NetAPI", "Scope3",
];

/// Never used: a CDN that puts its own name in place of every visitor's agent.
const IGNORED: &[&str] = &["Amazon CloudFront"];

/// What the in-app browsers of the networks that bio pages live on write into their agents. Inside
/// them no name of the list refuses, so that a careless new pattern cannot cost the main traffic.
const IN_APP: &[&str] = &[
    "Instagram ",
    "Barcelona ",
    "FBAN/",
    "FBAV/",
    "FB_IAB",
    "musical_ly",
    "BytedanceWebview",
    "TikTok",
    "trill_",
    "Twitter for",
    "TwitterAndroid",
    "[Pinterest/",
    "LinkedInApp",
    "Snapchat/",
    "KAKAOTALK",
    "Line/",
    "MicroMessenger",
    "Telegram-",
    "GSA/",
    "Reddit/",
    "; wv)",
];

/// Browsers without a person that the list does not name, or not in every version.
const HEADLESS: &str = r"(?i)headless|phantomjs|slimerjs|puppeteer|playwright|selenium|webdriver";

/// HTTP clients, by how their agents begin.
const LIBRARIES: &str = r"(?ix)^(?:
    (?:lib)?curl|wget|python|aiohttp|httpx|java|apache-httpclient|jakarta|go-http-client|go-resty|
    ruby|faraday|typhoeus|httparty|rest-client|php|guzzlehttp|symfony|node|node-fetch|undici|axios|
    got|superagent|deno|bun|reqwest|hyper|ureq|isahc|libwww|lwp|perl|postmanruntime|insomnia|httpie|
    winhttp|restsharp|powershell|k6|wrk|apachebench|vegeta|locust|jmeter|siege|artillery|autocannon|
    gatling)(?:[^a-z]|$)";

/// Clients that the systems of phones give to apps.
const APP_CLIENTS: &str = r"^Dalvik/|^Dart/|CFNetwork/";

/// A word that says what the agent is, with what stands before it.
const DECLARED: &str = r"(?i)([a-z]*)(?:bots?|crawler|crawling|spider|scraper)(?:[^a-z]|$)";

/// The rules, compiled once.
pub(super) struct BotRules {
    listed: RegexSet,
    /// By pattern: the bit it stands for, and whether people's browsers match it too.
    meanings: Vec<(BotSignals, bool)>,
    headless: Regex,
    library: Regex,
    app_client: Regex,
    declared: Regex,
}

impl BotRules {
    pub(super) fn load() -> Result<Self, RulesError> {
        Self::compile(CRAWLERS)
    }

    /// Compiles `kind<TAB>pattern` lines; patterns keep their outer spaces, which they need.
    pub(super) fn compile(list: &str) -> Result<Self, RulesError> {
        let (patterns, meanings): (Vec<&str>, Vec<_>) = list
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter(|(_, pattern)| !IGNORED.contains(pattern))
            .map(|(kind, pattern)| (pattern, (meaning(kind), AMBIGUOUS.contains(&pattern))))
            .unzip();
        let pattern = |text| Regex::new(text).map_err(RulesError::bots);
        Ok(Self {
            listed: RegexSet::new(patterns).map_err(RulesError::bots)?,
            meanings,
            headless: pattern(HEADLESS)?,
            library: pattern(LIBRARIES)?,
            app_client: pattern(APP_CLIENTS)?,
            declared: pattern(DECLARED)?,
        })
    }

    /// What an agent alone says.
    pub(super) fn judge(&self, agent: &str) -> BotSignals {
        let mut signals = self.listed(agent);
        if self.headless.is_match(agent) {
            signals = signals.and(BotSignals::HEADLESS);
        }
        if self.library.is_match(agent) {
            signals = signals.and(BotSignals::HTTP_LIBRARY);
        }
        if self.app_client.is_match(agent) {
            signals = signals.and(BotSignals::APP_CLIENT);
        }
        if self.declares_itself(agent) {
            signals = signals.and(BotSignals::SELF_DECLARED);
        }
        signals
    }

    fn listed(&self, agent: &str) -> BotSignals {
        // Saying which patterns match costs a hundred times what saying "none" does.
        if !self.listed.is_match(agent) {
            return BotSignals::NONE;
        }
        let browser = is_browser(agent);
        let in_app = browser && IN_APP.iter().any(|app| agent.contains(app));
        self.listed
            .matches(agent)
            .iter()
            .filter_map(|at| self.meanings.get(at))
            .map(|(meaning, ambiguous)| {
                if in_app || (browser && *ambiguous) {
                    BotSignals::LISTED_NAME
                } else {
                    *meaning
                }
            })
            .fold(BotSignals::NONE, BotSignals::and)
    }

    fn declares_itself(&self, agent: &str) -> bool {
        self.declared
            .captures_iter(agent)
            .filter_map(|found| found.get(1))
            // Cubot is a maker of phones.
            .any(|before| !before.as_str().eq_ignore_ascii_case("cu"))
    }
}

/// True for the form in which browsers and browsers inside apps name themselves, and crawlers that
/// imitate one; false for `Mozilla/5.0 (compatible; name)` and for bare product names.
fn is_browser(agent: &str) -> bool {
    let engine = ["AppleWebKit/", "Gecko/", "Trident/", "MSIE ", "Presto/"]
        .iter()
        .any(|engine| agent.contains(engine));
    let system = agent.starts_with("Mozilla/") || agent.starts_with("Opera/");
    let compatible = agent.contains("compatible;") && !agent.contains("MSIE ");
    engine && system && !compatible
}

fn meaning(kind: &str) -> BotSignals {
    match kind {
        "social-preview" => BotSignals::LINK_PREVIEW,
        "http-library" => BotSignals::HTTP_LIBRARY,
        "browser-automation" => BotSignals::HEADLESS,
        "monitoring" => BotSignals::MONITOR,
        _ => BotSignals::CRAWLER,
    }
}

#[cfg(test)]
pub(super) fn exceptions() -> (&'static str, Vec<&'static str>) {
    (CRAWLERS, [AMBIGUOUS, IGNORED].concat())
}
