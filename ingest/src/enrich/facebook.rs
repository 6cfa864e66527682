//! Reads the fields with which Meta's apps describe themselves:
//! `[FBAN/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;...]`.
//!
//! The one rule: brackets and the order of fields have no meaning. Some apps write no brackets.

use super::system::{System, number_behind};
use schemas::Device;

/// Apps by a word in their fields, in lower case. An app without any of these words is Facebook's
/// main app, its smaller version or a tool for pages.
const APPS: &[(&str, &str)] = &[
    ("messenger", "Facebook Messenger"),
    ("orca", "Facebook Messenger"),
    ("instagram", "Instagram"),
    ("barcelona", "Threads"),
    ("threads", "Threads"),
    ("whatsapp", "WhatsApp"),
];

/// The app and its version from the fields; the version may be empty.
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

/// The app's name for itself. In-app browsers write it as `FB_IAB`.
fn written_by(agent: &str) -> Option<&str> {
    field(agent, "FBAN/").or_else(|| field(agent, "FB_IAB/"))
}

/// The system in the fields.
pub(super) fn system(agent: &str) -> Option<System> {
    let app = written_by(agent)?;
    let device = field(agent, "FBDV/").unwrap_or_default();
    let name = match field(agent, "FBSN/") {
        Some("Android") => "Android",
        Some("iPadOS") => "iPadOS",
        Some("iOS" | "iPhone OS") => "iOS",
        // Without a system in the fields, the device or the app implies it.
        _ if device.starts_with("iPad") => "iPadOS",
        _ if device.starts_with("iPhone") || app.contains("iOS") || app == "FBIOS" => "iOS",
        // Facebook, Facebook Lite and the app for pages. Other apps have "Android" in their name.
        _ if ["FB4A", "EMA", "PAAA"].contains(&app) || app.contains("Android") => "Android",
        _ => return None,
    };
    Some(System::new(name, number_behind(agent, "FBSV/")))
}

/// The device of an app whose agent is not a browser's and so does not say "Mobile".
pub(super) fn device(agent: &str) -> Option<Device> {
    if agent.contains("AppleWebKit/") {
        return None;
    }
    system(agent).map(|_| match field(agent, "FBID/") {
        Some("tablet") => Device::Tablet,
        _ => Device::Mobile,
    })
}

/// The model in the fields.
pub(super) fn model(agent: &str) -> Option<&str> {
    field(agent, "FBDV/")
}

/// The value of a field; `None` when it is absent or empty.
fn field<'a>(agent: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = agent.split_once(name)?;
    behind
        .split([';', ']'])
        .next()
        .filter(|value| !value.is_empty())
}
