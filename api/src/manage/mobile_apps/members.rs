//! The members of an app's body, each declared once.

use crate::manage::{plain::Name, target};
use runtime::{
    http::Fields,
    members::{Member, OneOf, Rule, Text},
    openapi::{Schema, list, text},
};
use serde_json::json;

/// The platforms.
pub(super) const PLATFORMS: [&str; 3] = ["ios", "android", WEB];
/// A web app: an address without a package.
pub(super) const WEB: &str = "web";
/// Longest bundle id or package name.
const MAX_PACKAGE_CHARS: usize = 255;
/// Longest address in a store.
const MAX_STORE_CHARS: usize = target::MAX_DEEP_LINK_BYTES;
/// Characters of a team id.
const TEAM_ID_CHARS: usize = 10;
/// Most certificates of an app: one of the store, one of the team, and those that replaced others.
const MAX_FINGERPRINTS: usize = 10;
/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 32;
/// Characters of a fingerprint: two for each byte, with colons between.
const FINGERPRINT_CHARS: usize = 3 * FINGERPRINT_BYTES - 1;

pub(super) const PLATFORM: Member<OneOf> =
    Member::new("platform", OneOf(&PLATFORMS)).about("It never changes.");
pub(super) const NEW_PLATFORM: Member<OneOf> = PLATFORM.required().example(|| json!("ios"));

pub(super) const PACKAGE: Member<Text> = Member::new("packageId", Text(MAX_PACKAGE_CHARS))
    .about("The bundle id (iOS) or package name (Android), in its exact spelling. Required for them; a web app has none.")
    .example(|| json!("com.example.shop"));

pub(super) const NAME: Member<Name> = Member::new("name", Name)
    .about("What people call it; by default its `packageId`, or the host of a web app.")
    .example(|| json!("Shop"));

pub(super) const TEAM_ID: Member<TeamId> = Member::new("teamId", TeamId)
    .about("The team id of an iOS app. Without it, no host names the app to phones.");

pub(super) const FINGERPRINTS: Member<Fingerprints> = Member::new("fingerprints", Fingerprints)
    .about(
        "SHA-256 fingerprints of the certificates that sign an Android app. They replace the app's. Without one, no host names the app to phones.",
    );

pub(super) const STORE_URL: Member<Text> = Member::new("storeUrl", Text(MAX_STORE_CHARS))
    .about("An https address in a store, for phones without the app. For a web app its own address, which is required.")
    .example(|| json!("https://apps.example/shop"));

/// The team id of Apple.
#[derive(Clone, Copy, Debug)]
pub(super) struct TeamId;

impl Rule for TeamId {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let given = fields.string(name, 10 * TEAM_ID_CHARS)?;
        let valid = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if given.len() == TEAM_ID_CHARS && given.bytes().all(valid) {
            return Some(given);
        }
        fields.problem(format!(
            "{name} must have {TEAM_ID_CHARS} capital letters and digits, such as A1B2C3D4E5"
        ));
        None
    }

    fn schema(&self) -> Schema {
        text(TEAM_ID_CHARS).with("pattern", "^[A-Z0-9]{10}$")
    }
}

/// Fingerprints in capitals, without repetitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprints;

impl Rule for Fingerprints {
    type Value<'a> = Vec<String>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Vec<String>> {
        let given = fields.get(name)?.as_array();
        let Some(given) = given.filter(|given| given.len() <= MAX_FINGERPRINTS) else {
            fields.problem(format!(
                "{name} must be a list of at most {MAX_FINGERPRINTS} texts"
            ));
            return None;
        };
        let mut read: Vec<String> = Vec::with_capacity(given.len());
        for (index, one) in given.iter().enumerate() {
            match one.as_str().and_then(fingerprint) {
                Some(one) if read.contains(&one) => {}
                Some(one) => read.push(one),
                None => fields.problem(format!(
                    "{name}[{index}] must be a SHA-256 fingerprint: {FINGERPRINT_BYTES} pairs of hexadecimal digits with colons between"
                )),
            }
        }
        Some(read)
    }

    fn schema(&self) -> Schema {
        let one = text(FINGERPRINT_CHARS).with("pattern", "^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$");
        list(one).with("maxItems", MAX_FINGERPRINTS)
    }
}

/// A fingerprint in capitals, as Android's tools print it.
fn fingerprint(text: &str) -> Option<String> {
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|one| one.is_ascii_hexdigit());
    let valid = text.len() == FINGERPRINT_CHARS && text.split(':').all(is_pair);
    valid.then(|| text.to_ascii_uppercase())
}

/// Whether this is a bundle id, as Apple spells them.
pub(super) fn is_bundle_id(text: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let part = |part: &str| !part.is_empty() && part.bytes().all(valid);
    text.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundle_ids_have_letters_digits_hyphens_and_single_dots() {
        for text in ["com.example.shop", "Shop", "com.example-2.Shop", "1a.b"] {
            assert!(is_bundle_id(text), "{text}");
        }
        for text in [
            "",
            ".",
            "com.",
            ".com",
            "com..shop",
            "com.example.*",
            "com.exämple",
            "com.a_b",
            "com.a b",
        ] {
            assert!(!is_bundle_id(text), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_is_stored_in_one_form() {
        let lower = ["0a"; FINGERPRINT_BYTES].join(":");
        assert_eq!(fingerprint(&lower), Some(lower.to_ascii_uppercase()));
        for text in [
            String::new(),
            ["0A"; 20].join(":"),
            ["0A"; FINGERPRINT_BYTES].concat(),
            ["0G"; FINGERPRINT_BYTES].join(":"),
            ["0A"; FINGERPRINT_BYTES].join("-"),
            format!("{lower}:"),
            ["A:0"; FINGERPRINT_BYTES].concat()[1..].to_owned(),
        ] {
            assert_eq!(fingerprint(&text), None, "{text}");
        }
    }

    #[test]
    fn values_of_members_are_read_or_named() {
        let read = |body: serde_json::Value| {
            let object = body.as_object().unwrap().clone();
            let mut fields = Fields::new(&object);
            let team = TEAM_ID.read(&mut fields).map(str::to_owned);
            let prints = FINGERPRINTS.read(&mut fields);
            let problems = fields.finish().err().map(|error| error.details);
            (team, prints, problems.unwrap_or_default())
        };
        let print = ["AB"; FINGERPRINT_BYTES].join(":");
        let twice = [print.clone(), print.to_ascii_lowercase()];
        let (team, prints, problems) = read(json!({"teamId": "A1B2C3D4E5", "fingerprints": twice}));
        assert_eq!(team.as_deref(), Some("A1B2C3D4E5"));
        assert_eq!(prints, Some(vec![print.clone()]));
        assert_eq!(problems, Vec::<String>::new());
        for team in ["", "a1b2c3d4e5", "A1B2C3D4E", "A1B2C3D4E56", "A1B2-3D4E5"] {
            let (_, _, problems) = read(json!({ "teamId": team }));
            assert!(problems[0].starts_with("teamId must have 10"), "{team}");
        }
        for prints in [
            json!("x"),
            json!([1]),
            json!(["AB"]),
            json!(vec![&*print; 11]),
        ] {
            let (_, _, problems) = read(json!({ "fingerprints": prints }));
            assert_eq!(problems.len(), 1, "{prints}");
        }
    }
}
