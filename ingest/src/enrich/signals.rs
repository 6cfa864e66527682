//! Why a request might be a machine's, as bits with names: what a verdict is made of.
//!
//! The one rule: a bit keeps its meaning for ever, for the log holds it; new reasons get new bits, in
//! the lower half if they refuse a visit, in the upper half if they only tell.

use std::fmt;

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
    /// The agent itself says bot, crawler, spider or scraper, gives an address to complain to, or is nothing but
    /// `Mozilla/5.0 (compatible; Name/1.0)`.
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
