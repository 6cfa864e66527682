//! Browsers inside apps, and browsers that the rules take for another: how to recognise one, what it is
//! called, and what kind of place a visit from it comes from.
//!
//! The one rule: names are written as reports show them, whether the rules or this file gives them.

use super::facebook;
use schemas::SourceClass::{self, Search, Social};

/// What the in-app browsers of the networks that bio pages live on write into their agents. Inside
/// them no name of the crawler list refuses, so that a careless new pattern cannot cost the main traffic.
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

/// Apps whose browsers the rules take for the system's own, in all or in some of their agents: what they write, and
/// their name.
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

/// Browsers of systems that the rules miss. Apps, which borrow them, come first.
const BROWSERS: &[(&str, &str)] = &[
    ("HuaweiBrowser/", "Huawei Browser"),
    ("ArkWeb/", "ArkWeb"),
    // On an iPad that asks for desktop sites.
    ("CriOS/", "Chrome Mobile iOS"),
    ("FxiOS/", "Firefox iOS"),
    ("EdgiOS/", "Edge Mobile"),
];

/// What kind of place the apps are, by the names that the rules, [`APPS`] and [`facebook`] give them.
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

/// True for the agent of a browser inside an app.
pub(super) fn is_one(agent: &str) -> bool {
    MARKS.iter().any(|mark| agent.contains(mark))
}

/// The browser's name where the rules miss it, with the text behind its mark, where its version is.
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

/// What kind of place an app is, given the name of its browser.
pub(super) fn class(browser: &str) -> Option<SourceClass> {
    CLASSES
        .iter()
        .find(|(_, names)| names.contains(&browser))
        .map(|(class, _)| *class)
}
