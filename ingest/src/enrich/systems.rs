//! Corrects systems that the rules of `uap-core` mistake for another one, or do not recognise.
//!
//! The one rule: a version belongs to the system it is given for. When an agent gives the version
//! of another system (macOS for an iPad, Android for HarmonyOS), there is no version.

use super::{
    facebook,
    system::{System, number_behind},
};

/// Browsers of iPhones and iPads, which keep their names when they request desktop sites.
const IOS_BROWSERS: &[&str] = &["CriOS/", "FxiOS/", "EdgiOS/", "OPiOS/", "GSA/"];

/// True for an iPad that requests desktop sites. It calls itself a Macintosh, but no Mac says
/// `Mobile/` or runs a browser of iOS.
pub(super) fn is_ipad_as_mac(agent: &str) -> bool {
    let has = |word: &str| agent.contains(word);
    has("(Macintosh;") && (has(" Mobile/") || IOS_BROWSERS.iter().any(|browser| has(browser)))
}

/// The system, when the rules are wrong about it or find none. `found` is the name and version that
/// they give.
pub(super) fn correct(agent: &str, found: Option<(&str, Option<&str>)>) -> Option<System> {
    if let Some(harmony) = harmony(agent) {
        return Some(harmony);
    }
    if is_ipad_as_mac(agent) {
        return Some(System::new("iPadOS", None));
    }
    // As LG's televisions write it.
    if agent.contains("Web0S") {
        return Some(System::new("webOS", None));
    }
    match found {
        // The system of iPads has its own name since version 13.
        Some(("iOS", version)) if agent.contains("iPad") && major(version?)? >= 13 => {
            Some(System::new("iPadOS", version))
        }
        Some((_, Some(_))) => None,
        Some((_, None)) | None => facebook::system(agent),
    }
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// HarmonyOS, with its version if the agent gives one. Before version 5 it was based on Android and
/// gives only Android's version. Since then some of its agents name an Android that does not exist.
fn harmony(agent: &str) -> Option<System> {
    let named = agent.contains("HarmonyOS") || agent.contains("OpenHarmony");
    let version =
        || number_behind(agent, "HarmonyOS ").or_else(|| number_behind(agent, "OpenHarmony "));
    named.then(|| System::new("HarmonyOS", version()))
}
