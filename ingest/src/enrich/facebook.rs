//! Fields in which Facebook's company describes its apps: `[FBAN/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;...]`.
//!
//! The one rule: brackets and the order of fields say nothing; some apps leave the brackets out.

use super::systems::{System, number_behind};
use schemas::Device;

/// Apps by a word that their fields call them by, in lower case. What has none of these words is Facebook's main app, its
/// smaller version or a tool for pages.
const APPS: &[(&str, &str)] = &[
    ("messenger", "Facebook Messenger"),
    ("orca", "Facebook Messenger"),
    ("instagram", "Instagram"),
    ("barcelona", "Threads"),
    ("threads", "Threads"),
    ("whatsapp", "WhatsApp"),
];

/// The app, with its version as the fields give it, or an empty one.
pub(super) fn app(agent: &str) -> Option<(&'static str, &str)> {
    let version = field(agent, "FBAV/");
    let app = written_by(agent).or(version.map(|_| ""))?;
    let app = app.to_ascii_lowercase();
    let name = APPS
        .iter()
        .find(|(word, _)| app.contains(word))
        .map_or("Facebook", |(_, name)| *name);
    Some((name, version.unwrap_or_default()))
}

/// What the app calls itself; its in-app browser writes that as `FB_IAB`.
fn written_by(agent: &str) -> Option<&str> {
    field(agent, "FBAN/").or_else(|| field(agent, "FB_IAB/"))
}

/// The system that the fields name.
pub(super) fn system(agent: &str) -> Option<System> {
    let app = written_by(agent)?;
    let device = field(agent, "FBDV/").unwrap_or_default();
    let name = match field(agent, "FBSN/") {
        Some("Android") => "Android",
        Some("iPadOS") => "iPadOS",
        Some("iOS" | "iPhone OS") => "iOS",
        _ if device.starts_with("iPad") => "iPadOS",
        _ if device.starts_with("iPhone") || app.contains("iOS") || app == "FBIOS" => "iOS",
        // Facebook, Facebook Lite and the app for pages; the others say it.
        _ if ["FB4A", "EMA", "PAAA"].contains(&app) || app.contains("Android") => "Android",
        _ => return None,
    };
    Some(System::new(name, number_behind(agent, "FBSV/")))
}

/// The device of an app of Facebook whose agent is not a browser's and does not say "Mobile".
pub(super) fn device(agent: &str) -> Option<Device> {
    if agent.contains("AppleWebKit/") {
        return None;
    }
    system(agent).map(|_| match field(agent, "FBID/") {
        Some("tablet") => Device::Tablet,
        _ => Device::Mobile,
    })
}

/// The model in the fields of an app of Facebook.
pub(super) fn model(agent: &str) -> Option<&str> {
    field(agent, "FBDV/")
}

/// The value of a field, `None` when it is empty.
fn field<'a>(agent: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = agent.split_once(name)?;
    behind
        .split([';', ']'])
        .next()
        .filter(|value| !value.is_empty())
}
