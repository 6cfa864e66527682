//! Classifies the source of a visit: by its referrer, else by the campaign parameters of the
//! landing URL, else by the app whose browser shows the page.
//!
//! The one rule: a name counts only if it is listed. A campaign that names no source has no class.

use super::{
    Landing, Referrer, in_app,
    referrer::DIRECT,
    sources::{classify, is_site},
};
use schemas::SourceClass::{self, Ai, Direct, Email, Other, Search, Social};

/// The names that people write into `utm_source` for well-known sources, besides hosts.
#[rustfmt::skip]
const SOURCES: &[(SourceClass, &[&str])] = &[
    (Search, &[
        "google", "bing", "yahoo", "yandex", "duckduckgo", "ddg", "baidu", "naver", "ecosia", "qwant",
        "startpage", "brave", "kagi", "seznam", "sogou", "daum", "adwords", "googleads", "bingads",
    ]),
    (Social, &[
        "facebook", "fb", "messenger", "meta", "instagram", "insta", "ig", "threads", "twitter", "x", "linkedin", "li",
        "pinterest", "pin", "reddit", "tiktok", "tt", "snapchat", "snap", "sc", "youtube", "yt", "tumblr", "vk",
        "vkontakte", "ok.ru", "weibo", "wechat", "weixin", "whatsapp", "wa", "telegram", "tg", "discord",
        "slack", "quora", "twitch", "mastodon", "bluesky", "bsky", "line", "kakao", "kakaotalk", "viber",
        "skype", "teams", "clubhouse", "nextdoor", "xing", "hackernews", "producthunt", "zalo",
        "zhihu", "xiaohongshu", "rednote", "douyin", "bilibili", "lemon8", "bereal",
    ]),
    (Email, &[
        "gmail", "outlook", "hotmail", "icloud", "protonmail", "mailchimp", "sendgrid", "klaviyo", "mailerlite",
        "substack", "beehiiv", "convertkit", "brevo", "sendinblue", "campaignmonitor", "constantcontact",
    ]),
    (Ai, &[
        "chatgpt", "openai", "perplexity", "claude", "anthropic", "gemini", "bard", "notebooklm", "copilot", "deepseek", "grok",
        "mistral", "lechat", "phind", "poe", "kimi", "doubao", "qwen", "metaai",
    ]),
];

/// The words that may follow a name in `utm_source`: `instagram_stories`, `fb-ads`.
const PARTS: &[&str] = &[
    "ad", "ads", "app", "bio", "business", "cpc", "dm", "feed", "link", "mobile", "organic",
    "page", "paid", "post", "posts", "profile", "reel", "reels", "shorts", "social", "stories",
    "story", "video", "web",
];

/// The class for each `utm_medium`. Advertising without a known source is `Other`.
#[rustfmt::skip]
const MEDIUMS: &[(SourceClass, &[&str])] = &[
    (Email, &["email", "e-mail", "e_mail", "e mail", "mail", "newsletter", "newsletters", "edm"]),
    (Social, &["sm", "story", "stories", "reel", "reels"]),
    (Search, &["organic", "sem", "seo"]),
    (Ai, &["ai", "llm", "chatbot"]),
    (Other, &["cpc", "ppc", "cpm", "cpv", "cpa", "cpl", "cpp", "display", "banner", "affiliate", "referral", "ad", "ads", "retargeting"]),
];

/// The class of a visit's source. `browser` is the name of the visitor's browser.
#[must_use]
pub fn class(referrer: &Referrer, landing: &Landing, browser: Option<&str>) -> SourceClass {
    if referrer.domain != DIRECT {
        // A referrer on the page's own host is navigation within the site, not a source.
        let own = landing
            .domain
            .as_deref()
            .is_some_and(|own| same_host(own, &referrer.domain));
        return if own {
            Direct
        } else {
            classify(&referrer.domain)
        };
    }
    let source = landing.utm.source.as_deref();
    let medium = landing.utm.medium.as_deref();
    source
        .and_then(named)
        .or_else(|| medium.and_then(by_medium))
        .or_else(|| browser.and_then(in_app::class))
        // Newsletters often write their medium into `utm_source`.
        .or_else(|| source.and_then(by_medium))
        .or_else(|| source.filter(|source| is_site(host(source))).map(|_| Other))
        .unwrap_or(Direct)
}

fn same_host(one: &str, other: &str) -> bool {
    one.trim_end_matches('.')
        .eq_ignore_ascii_case(other.trim_end_matches('.'))
}

/// The class of a source: a host, or one of [`SOURCES`].
fn named(source: &str) -> Option<SourceClass> {
    let host = host(source);
    if host.contains('.') {
        let class = classify(host);
        if class != Other {
            return Some(class);
        }
    }
    let listed = |name: &str| find(SOURCES, name);
    listed(host).or_else(|| {
        let (name, part) = source.split_once(['_', '-', ' ', '.', '/', '+'])?;
        PARTS.contains(&part).then(|| listed(name))?
    })
}

/// The host of a source, which may be a host or a URL.
fn host(source: &str) -> &str {
    let host = source
        .split_once("://")
        .map_or(source, |(_, behind)| behind);
    let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

fn by_medium(medium: &str) -> Option<SourceClass> {
    find(MEDIUMS, medium).or_else(|| {
        // `paid-social`, `social media`, `paidsearch`.
        let says = |word: &str| medium.contains(word);
        if says("social") {
            Some(Social)
        } else if says("search") {
            Some(Search)
        } else {
            medium.starts_with("paid").then_some(Other)
        }
    })
}

fn find(table: &[(SourceClass, &[&str])], name: &str) -> Option<SourceClass> {
    table
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(class, _)| *class)
}
