//! Finds the kind of device in an agent: phone, tablet or anything else.
//!
//! Owns only this decision; [`super::agent`] finds makers and models. The one rule: special rules
//! come before general ones, because agents also contain the names of products that they imitate.

use super::{facebook, in_app, systems};
use schemas::Device;

/// Televisions, consoles and headsets, besides those that [`names_a_television`] finds. They also
/// call themselves Android or Mobile, but count as desktop, the kind of everything that is neither
/// phone nor tablet.
const SCREENS: &[&str] = &[
    "BRAVIA",
    "tvOS",
    "NetCast",
    "Web0S",
    "CrKey",
    "Roku",
    "VIDAA",
    "; AFT",
    "Viera",
    "MIBOX",
    "PlayStation",
    "PLAYSTATION",
    "Xbox",
    "Nintendo",
    "OculusBrowser",
];

/// Phones that are neither Apple's nor Android's, and Opera's phone browsers, which do not say
/// "Mobile".
const PHONES: &[&str] = &[
    "Windows Phone",
    "IEMobile",
    "Windows Mobile",
    "Windows CE",
    "Opera Mini",
    "Opera Mobi",
];

/// Tablets that do not say Android.
const TABLETS: &[&str] = &["Tablet", "PlayBook", "TouchPad", "Kindle"];

/// Systems of desktop and laptop computers.
const DESKS: &[&str] = &["Windows", "Macintosh", "CrOS", "X11"];

/// The remaining phones.
const OLD_PHONES: &[&str] = &[
    "Mobile",
    "BlackBerry",
    "BB10",
    "Symbian",
    "Series60",
    "SymbOS",
    "Nokia",
    "KAIOS",
    "J2ME",
    "MIDP",
    "webOS/",
    "hpwOS",
];

/// The kind of device, or `None` when the agent gives none.
pub(super) fn kind(agent: &str) -> Option<Device> {
    let has = |word: &str| agent.contains(word);
    let any = |words: &[&str]| words.iter().any(|word| has(word));
    if any(SCREENS) || names_a_television(agent) {
        Some(Device::Desktop)
    } else if has("iPad") || systems::is_ipad_as_mac(agent) {
        Some(Device::Tablet)
    } else if has("iPhone") || has("iPod") || any(PHONES) {
        Some(Device::Mobile)
    } else if has("Windows NT") {
        // Before the tablets: "Tablet PC 2.0" in such an agent is a Windows service.
        Some(Device::Desktop)
    } else if any(TABLETS) {
        Some(Device::Tablet)
    } else if let Some(device) = facebook::device(agent) {
        Some(device)
    } else if has("Android") && in_app::is_one(agent) && !has("Mozilla/") {
        // An app that sends its own agent instead of a browser's does not say "Mobile".
        Some(Device::Mobile)
    } else if has("(PC; OpenHarmony") {
        Some(Device::Desktop)
    } else if has("Android") || has("; Adr ") {
        Some(if has("Mobile") {
            Device::Mobile
        } else {
            Device::Tablet
        })
    } else if has("Silk/") {
        Some(Device::Tablet)
    } else if has("Macintosh") {
        Some(Device::Desktop)
    } else if any(OLD_PHONES) {
        Some(Device::Mobile)
    } else if any(DESKS) {
        Some(Device::Desktop)
    } else {
        None
    }
}

/// True when a word of the agent ends in "TV" (`CTV`, `SmartTV`, `PHILIPS 4K TV`), as in nearly all
/// of the thousands of names of televisions. `LeTV` and `PPTV` also made phones, whose browsers say
/// "Mobile".
fn names_a_television(agent: &str) -> bool {
    let mut words = agent.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word.ends_with("TV")) && !agent.contains("Mobile")
}
