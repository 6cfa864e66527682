//! The reasons to believe that a machine sent a request, as a set of named bits.
//!
//! The one rule: a bit never changes its meaning, because the log stores it. New reasons get new
//! bits: in the lower half if they refuse a visit, in the upper half if they are only signals.

use std::fmt;

/// A set of reasons to believe that a machine sent a request. The lower 16 bits refuse a visit; the
/// upper 16 are only signals.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BotSignals(u32);

/// Every bit and its name, lowest first.
const NAMES: &[(BotSignals, &str)] = &[
    (BotSignals::CRAWLER, "crawler"),
    (BotSignals::LINK_PREVIEW, "link_preview"),
    (BotSignals::HTTP_LIBRARY, "http_library"),
    (BotSignals::HEADLESS, "headless"),
    (BotSignals::MONITOR, "monitor"),
    (BotSignals::PREFETCH, "prefetch"),
    (BotSignals::SELF_DECLARED, "self_declared"),
    (BotSignals::NETWORK, "network"),
    (BotSignals::NO_AGENT, "no_agent"),
    (BotSignals::UNKNOWN_AGENT, "unknown_agent"),
    (BotSignals::LISTED_NAME, "listed_name"),
    (BotSignals::APP_CLIENT, "app_client"),
];

impl BotSignals {
    /// No reason.
    pub const NONE: Self = Self(0);
    /// On the crawler list: search engines, SEO, archives, scanners, AI.
    pub const CRAWLER: Self = Self(1);
    /// Fetches a page to show a preview of its link.
    pub const LINK_PREVIEW: Self = Self(1 << 1);
    /// A program's HTTP client (`curl`, `python-requests`).
    pub const HTTP_LIBRARY: Self = Self(1 << 2);
    /// An automated browser: headless or controlled by a test tool.
    pub const HEADLESS: Self = Self(1 << 3);
    /// Checks that a page is available, or how fast it is.
    pub const MONITOR: Self = Self(1 << 4);
    /// Fetched ahead of a click, according to the request's headers.
    pub const PREFETCH: Self = Self(1 << 5);
    /// The agent says bot, crawler, spider or scraper, gives a contact address, or consists only of
    /// `Mozilla/5.0 (compatible; Name/1.0)`.
    pub const SELF_DECLARED: Self = Self(1 << 6);
    /// The address is in a network of machines.
    pub const NETWORK: Self = Self(1 << 7);
    /// No agent. Only a signal: privacy tools remove it.
    pub const NO_AGENT: Self = Self(1 << 16);
    /// An agent that no rule recognises. Only a signal: new browsers have new agents.
    pub const UNKNOWN_AGENT: Self = Self(1 << 17);
    /// A name of the crawler list in the agent of a browser that people use. Only a signal.
    pub const LISTED_NAME: Self = Self(1 << 18);
    /// An app's own HTTP client instead of its browser. Only a signal: apps show pages too.
    pub const APP_CLIENT: Self = Self(1 << 19);

    const REFUSING: u32 = 0xffff;

    /// The set as the log stores it.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// True when at least one reason refuses the visit.
    #[must_use]
    pub const fn refuses(self) -> bool {
        self.0 & Self::REFUSING != 0
    }

    /// True when every reason of `other` is among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The union of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These reasons without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The names of the reasons.
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

/// Headers in which browsers say that a request comes before the person's click.
#[derive(Clone, Copy, Debug, Default)]
pub struct PurposeHeaders<'a> {
    /// `Sec-Purpose`: `prefetch`, `prefetch;prerender`.
    pub sec_purpose: Option<&'a str>,
    /// `Purpose`, as Chrome sent it before: `prefetch`.
    pub purpose: Option<&'a str>,
    /// `X-Purpose`, as Safari sends it: `preview`.
    pub x_purpose: Option<&'a str>,
    /// `X-Moz`, as Firefox sent it before: `prefetch`.
    pub x_moz: Option<&'a str>,
}

impl PurposeHeaders<'_> {
    /// [`BotSignals::PREFETCH`] when any of them says so.
    #[must_use]
    pub fn signals(&self) -> BotSignals {
        let ahead = [self.sec_purpose, self.purpose, self.x_purpose, self.x_moz]
            .into_iter()
            .flatten()
            // Several words may stand together, as in `prefetch;prerender`.
            .flat_map(|header| header.split([';', ',']))
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
