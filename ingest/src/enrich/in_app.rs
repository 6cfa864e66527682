//! Browsers inside apps, and browsers that the rules take for another: how to recognise one, what it is
//! called, and what kind of place a visit from it comes from.
//!
//! The one rule: names are written as reports show them, whether the rules or this file gives them.

use schemas::SourceClass::{self, Search, Social};

/// What the in-app browsers of the networks that bio pages live on write into their agents. Inside
/// them no name of the crawler list refuses, so that a careless new pattern cannot cost the main traffic.
const MARKS: &[&str] = &[
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

/// Browsers that the rules take for the system's own: what they write, and their name. Apps come before
/// the browsers of a system, which apps borrow.
const NAMES: &[(&str, &str)] = &[
    ("musical_ly", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("Instagram ", "Instagram"),
    ("Barcelona ", "Threads"),
    ("MetaIAB Facebook", "Facebook"),
    ("[LinkedInApp]", "LinkedIn"),
    ("MicroMessenger/", "WeChat"),
    ("KAKAOTALK", "KakaoTalk"),
    ("Telegram-", "Telegram"),
    ("Reddit/", "Reddit"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("ArkWeb/", "ArkWeb"),
    // On an iPad that asks for desktop sites.
    ("CriOS/", "Chrome Mobile iOS"),
    ("FxiOS/", "Firefox iOS"),
    ("EdgiOS/", "Edge Mobile"),
];

/// What kind of place the apps are, by the names that the rules and [`NAMES`] give them.
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

/// The browser's name where the rules miss it, with the text after its mark.
pub(super) fn name(agent: &str) -> Option<(&'static str, &str)> {
    NAMES.iter().find_map(|(mark, name)| {
        let (_, behind) = agent.split_once(mark)?;
        Some((*name, behind))
    })
}

/// What kind of place an app is, given the name of its browser.
pub(super) fn class(browser: &str) -> Option<SourceClass> {
    CLASSES
        .iter()
        .find(|(_, names)| names.contains(&browser))
        .map(|(class, _)| *class)
}
