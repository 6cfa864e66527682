//! Recognises agents of machines, by the crawler list and further rules.
//!
//! [`super::signals`] defines the results. The one rule: losing a person is worse than counting a
//! bot. Bio pages are mostly opened inside other apps. So a name that also appears in people's
//! browsers is only a signal and refuses no visit.

use super::{in_app, signals::BotSignals};
use regex::{Regex, RegexSet};
use std::ops::Range;

/// One `kind<TAB>pattern` per line; `ingest/data/NOTICE.md` names the source.
const CRAWLERS: &str = include_str!("../../data/crawlers.txt");

/// The version of the crawler list. The number after `+` is the revision of the rules in this file.
pub(super) const VERSION: &str = "crawler-user-agents 1.60.0+4";

/// Patterns of the list that also match agents of people. In the agent of a browser they are only a
/// [`BotSignals::LISTED_NAME`]; anywhere else they mean what the list says. The first group and the
/// browsers were found in the list's own examples and by matching it against the 30,000 agents of
/// ua-parser's tests. The others are here because of their names: a product that people browse
/// with, or a word that may be part of any agent.
#[rustfmt::skip]
const AMBIGUOUS: &[&str] = &[
    // Not bots: an Android build number, Facebook's in-app browser, an HTC phone, ViewSonic.
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
    // Words that are short or common enough to be part of a model's or an app's name.
    "Adventurer", "Bushbaby", "Charlotte", "Magellan", "Expanse", "Moreover", "Trove", "Upflow",
    "Hotjar", "Hello World", "Watchful", "Termly", "Determ", "[cC]ludo", "linko", "fluffy", "speedy",
    "yanga", "eright", "Yeti", "Authory", "Wayback", "Splunk", "Qualys", "Chirp|gotosocial",
    r"Make\/", r"RED\/", r"BW\/", r"Fetch\/", r"Dlc\/", r"s4a\/", r"WSM\/", r"Buck\/", r"Vigil\/",
    r"Uptime\/", r"Spectate\/", r"Operator\/", r"Readable\/", r"Potions\/", r"Grover\/", r"Retool\/",
    r"Stape\/", r"Aragog\/", r"Trae\/", r"Golfe\/", r"Verity\/", "Odin;", "ds9", "NetAPI", "Scope3",
];

/// Patterns that are never used: a CDN that replaces every visitor's agent with its own name.
const IGNORED: &[&str] = &["Amazon CloudFront"];

/// Automated browsers that the list does not name, or not in every version.
const HEADLESS: &str = r"(?ix)headless|phantomjs|slimerjs|puppeteer|playwright|selenium|webdriver|
    \b(?:prerender|rendertron|browsershot|wkhtmlto(?:pdf|image)|cutycapt|htmlunit|jsdom|cypress|testcafe|google-pagerenderer)\b";

/// HTTP clients, by the start of their agents.
const LIBRARIES: &str = r"(?ix)^(?:
    (?:lib)?curl|wget|python|aiohttp|httpx|java|apache-httpclient|jakarta|go-http-client|go-resty|
    ruby|faraday|typhoeus|httparty|rest-client|php|guzzlehttp|symfony|node|node-fetch|undici|axios|
    got|superagent|deno|bun|reqwest|hyper|ureq|isahc|libwww|lwp|perl|postmanruntime|insomnia|httpie|
    winhttp|restsharp|powershell|k6|wrk|apachebench|vegeta|locust|jmeter|siege|artillery|autocannon|
    gatling)(?:[^a-z]|$)";

/// HTTP clients that phone systems provide to apps.
const APP_CLIENTS: &str = r"^Dalvik/|^Dart/|CFNetwork/";

/// A word by which an agent declares itself a bot, with the letters before it.
const DECLARED: &str = r"(?i)([a-z]*)(?:bots?|crawler|crawling|spider|scraper)(?:[^a-z]|$)";

/// A contact address: `+https://...` anywhere, or any address after `compatible;`. Internet
/// Explorer wrote "compatible" too, and some of its extensions an address without the plus.
const CONTACT: &str =
    r"(?i)\+\s*(?:https?://|www\.)|\(compatible;\s*[^()]*(?:https?://|www\.|[^\s;]@[a-z0-9-]+\.)";

/// An agent with nothing but a product compatible with Mozilla: no system, no engine.
const ONLY_COMPATIBLE: &str =
    r"(?i)^Mozilla/[0-9.]+ ?\(compatible; ?([a-z][^();/]*)/v?[0-9][^();]*\)$";

/// Browsers of people with such an agent.
const COMPATIBLE_BROWSERS: &[&str] = &[
    "MSIE",
    "Konqueror",
    "OmniWeb",
    "iCab",
    "Dillo",
    "NetFront",
    "NetSurf",
    "Opera",
];

/// Marks of a comment that names a phone model. Some models are called `M BOT 551`, `POWER BOT` or
/// `Cubot`.
const NAMES_A_PHONE: &[&str] = &["Android", "; Adr ", "dpi;", "FBDV/"];

/// The rules, compiled once.
pub(super) struct BotRules {
    listed: RegexSet,
    /// For each pattern: its bit, and whether it also matches agents of people.
    meanings: Vec<(BotSignals, bool)>,
    headless: Regex,
    library: Regex,
    app_client: Regex,
    declared: Regex,
    contact: Regex,
    only_compatible: Regex,
}

impl BotRules {
    pub(super) fn load() -> Result<Self, regex::Error> {
        Self::compile(CRAWLERS)
    }

    /// Compiles `kind<TAB>pattern` lines. Patterns keep their outer spaces, which are significant.
    pub(super) fn compile(list: &str) -> Result<Self, regex::Error> {
        let (patterns, meanings): (Vec<&str>, Vec<_>) = list
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter(|(_, pattern)| !IGNORED.contains(pattern))
            .map(|(kind, pattern)| (pattern, (meaning(kind), AMBIGUOUS.contains(&pattern))))
            .unzip();
        Ok(Self {
            listed: RegexSet::new(patterns)?,
            meanings,
            headless: Regex::new(HEADLESS)?,
            library: Regex::new(LIBRARIES)?,
            app_client: Regex::new(APP_CLIENTS)?,
            declared: Regex::new(DECLARED)?,
            contact: Regex::new(CONTACT)?,
            only_compatible: Regex::new(ONLY_COMPATIBLE)?,
        })
    }

    /// The signals of an agent by itself.
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

    /// True for a name that contains "bot" or a similar word.
    pub(super) fn names_a_bot(&self, name: &str) -> bool {
        self.declared.is_match(name)
    }

    fn listed(&self, agent: &str) -> BotSignals {
        // Finding out which patterns match costs a hundred times more than finding no match.
        if !self.listed.is_match(agent) {
            return BotSignals::NONE;
        }
        let browser = is_browser(agent);
        let in_app = browser && in_app::is_one(agent);
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
        if self.contact.is_match(agent) && !agent.contains("MSIE ") {
            return true;
        }
        let only = self.only_compatible.captures(agent);
        if let Some(product) = only.and_then(|found| found.get(1)) {
            let product = product.as_str();
            return !COMPATIBLE_BROWSERS
                .iter()
                .any(|browser| browser.eq_ignore_ascii_case(product));
        }
        let phones = phone_names(agent);
        self.declared
            .captures_iter(agent)
            .filter_map(|found| found.get(1))
            .filter(|before| !phones.iter().any(|names| names.contains(&before.start())))
            // Cubot makes phones, and the browsers of some begin with its name.
            .any(|before| !before.as_str().eq_ignore_ascii_case("cu"))
    }
}

/// An agent without the comments in which it names a phone.
pub(super) fn without_phone_names(agent: &str) -> String {
    let mut plain = agent.to_owned();
    // From the end, because each removal moves the text behind it.
    for names in phone_names(agent).into_iter().rev() {
        plain.replace_range(names, "");
    }
    plain
}

/// The ranges of an agent that name a phone: outermost comments, in round or square brackets, that
/// contain one of [`NAMES_A_PHONE`] and not "compatible". An unclosed comment ends with the agent.
fn phone_names(agent: &str) -> Vec<Range<usize>> {
    let mut comments = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (at, letter) in agent.char_indices() {
        match letter {
            '(' | '[' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            ')' | ']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    comments.push(start..at);
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        comments.push(start..agent.len());
    }
    comments.retain(|range| {
        agent.get(range.clone()).is_some_and(|comment| {
            NAMES_A_PHONE.iter().any(|mark| comment.contains(mark))
                && !comment.contains("compatible")
        })
    });
    comments
}

/// True for the format of browsers, in-app browsers and crawlers that imitate them. False for
/// `Mozilla/5.0 (compatible; name)` and for bare product names.
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
