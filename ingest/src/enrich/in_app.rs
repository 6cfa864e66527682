//! Recognises browsers inside apps, and browsers that the rules mistake for others: their names,
//! and the class of visits from them.
//!
//! The one rule: names are spelled as reports show them, whether they come from the rules or from
//! here.

use super::facebook;
use schemas::SourceClass::{self, Search, Social};

/// Marks of the in-app browsers from which bio pages get most of their visits. In their agents no
/// name of the crawler list refuses a visit, so a careless new pattern cannot cost the main
/// traffic.
const MARKS: &[&str] = &[
    "Instagram ",
    "Instagram/",
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
    "Pinterest for ",
    "LinkedInApp",
    "Snapchat/",
    "Snapchat ",
    "MetaIAB ",
    "KAKAOTALK",
    "Line/",
    "MicroMessenger",
    "Telegram-",
    "GSA/",
    "Reddit/",
    "; wv)",
];

/// Apps whose browsers the rules mistake for the system's own, in all or some of their agents: the
/// mark and the name.
const APPS: &[(&str, &str)] = &[
    ("musical_ly", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("trill_", "TikTok"),
    ("TikTok", "TikTok"),
    ("Instagram ", "Instagram"),
    ("Instagram/", "Instagram"),
    ("Barcelona ", "Threads"),
    ("MetaIAB Instagram", "Instagram"),
    ("MetaIAB Messenger", "Facebook Messenger"),
    ("MetaIAB Facebook", "Facebook"),
    ("LinkedInApp", "LinkedIn"),
    ("Snapchat/", "Snapchat"),
    ("Snapchat ", "Snapchat"),
    ("TwitterAndroid", "Twitter"),
    ("Twitter for ", "Twitter"),
    ("MicroMessenger/", "WeChat"),
    ("KAKAOTALK", "KakaoTalk"),
    ("Line/", "LINE"),
    ("Telegram-", "Telegram"),
    ("Reddit/", "Reddit"),
];

/// System browsers that the rules miss. Apps come first, because they contain these browsers.
const BROWSERS: &[(&str, &str)] = &[
    ("HuaweiBrowser/", "Huawei Browser"),
    ("ArkWeb/", "ArkWeb"),
    // On an iPad that requests desktop sites.
    ("CriOS/", "Chrome Mobile iOS"),
    ("FxiOS/", "Firefox iOS"),
    ("EdgiOS/", "Edge Mobile"),
];

/// The classes of apps, by the names that the rules, [`APPS`] and [`facebook`] give them.
const CLASSES: &[(SourceClass, &[&str])] = &[
    (
        Social,
        &[
            "Instagram",
            "Threads",
            "Facebook",
            "Facebook Messenger",
            "TikTok",
            "Twitter",
            "Pinterest",
            "LinkedIn",
            "Snapchat",
            "WhatsApp",
            "Telegram",
            "Reddit",
            "LINE",
            "KakaoTalk",
            "WeChat",
        ],
    ),
    (Search, &["Google"]),
];

/// True for the agent of an in-app browser.
pub(super) fn is_one(agent: &str) -> bool {
    MARKS.iter().any(|mark| agent.contains(mark))
}

/// The name of a browser that the rules miss, with the text after its mark, which starts with the
/// version.
pub(super) fn name(agent: &str) -> Option<(&'static str, &str)> {
    let listed = |table: &[(&str, &'static str)]| {
        table.iter().find_map(|(mark, name)| {
            let (_, behind) = agent.split_once(mark)?;
            Some((*name, behind))
        })
    };
    listed(APPS)
        .or_else(|| facebook::app(agent))
        .or_else(|| listed(BROWSERS))
}

/// The class of an app, by the name of its browser.
pub(super) fn class(browser: &str) -> Option<SourceClass> {
    CLASSES
        .iter()
        .find(|(_, names)| names.contains(&browser))
        .map(|(class, _)| *class)
}
