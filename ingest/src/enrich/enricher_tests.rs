//! Tests the enricher as a whole.

use super::*;
use proptest::prelude::*;
use schemas::{Keyring, Place};
use uuid::Uuid;

const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

fn enricher() -> Enricher {
    let hasher = VisitorHasher::new(Keyring::parse(&"s".repeat(32)).unwrap()).unwrap();
    Enricher::new(GeoDatabase::bundled().unwrap(), hasher).unwrap()
}

fn sighting(claims: Claims<'_>) -> Sighting<'_> {
    Sighting {
        address: "81.2.69.142".parse().unwrap(),
        user_agent: Some(SAFARI),
        claims,
    }
}

#[test]
fn a_visitor_is_hashed_placed_and_described() {
    let enricher = enricher();
    let visitor = enricher.visitor(
        WORKSPACE,
        Who::Id("visitor-1"),
        &sighting(Claims {
            device: Some("desktop"),
            timezone: Some("Europe/London"),
            language: Some("en_gb,en;q=0.9"),
            screen_width: Some(390),
            screen_height: Some(844),
            ..Claims::default()
        }),
    );
    assert_eq!(
        visitor.hash,
        Some(enricher.hasher().visitor(WORKSPACE, "visitor-1"))
    );
    assert_eq!(visitor.user_hash, None);
    assert_eq!(visitor.place.country.as_deref(), Some("United Kingdom"));
    assert_eq!(visitor.agent.device, Some(Device::Mobile));
    assert_eq!(visitor.language.as_deref(), Some("en-GB"));
    assert_eq!(visitor.timezone.as_deref(), Some("Europe/London"));
    assert_eq!(
        visitor.screen,
        Some(Screen {
            width: 390,
            height: 844
        })
    );
}

#[test]
fn half_a_screen_and_empty_claims_are_ignored() {
    let visitor = enricher().visitor(
        WORKSPACE,
        Who::Id("v"),
        &sighting(Claims {
            timezone: Some(" "),
            language: Some(""),
            screen_width: Some(390),
            ..Claims::default()
        }),
    );
    assert_eq!(
        (visitor.language, visitor.timezone, visitor.screen),
        (None, None, None)
    );
}

#[test]
fn no_result_contains_address_agent_or_id() {
    let enricher = enricher();
    for who in [Who::Id("visitor-1"), Who::AddressAndAgent] {
        let visitor = enricher.visitor(WORKSPACE, who, &sighting(Claims::default()));
        for text in [
            serde_json::to_string(&visitor).unwrap(),
            format!("{visitor:?}"),
        ] {
            assert!(
                !text.contains("81.2.69") && !text.contains("visitor-1"),
                "{text}"
            );
            assert!(!text.contains("AppleWebKit"), "{text}");
        }
    }
    let text = format!("{enricher:?}");
    assert!(!text.contains(&"s".repeat(32)), "{text}");
}

#[test]
fn versions_say_what_an_event_was_enriched_with() {
    let enricher = enricher();
    let versions = enricher.versions();
    assert_eq!(versions.geo, "geo-whois-asn-country 2026-06-17");
    assert_eq!(versions.agent, "uap-core 0.18.0+5");
    assert_eq!(versions.bots, "crawler-user-agents 1.60.0+4");
    assert_eq!(versions.referrer, "footfall-referrers 2");
    // A new data file needs a new version here.
    let notice = include_str!("../../data/NOTICE.md");
    for version in [&versions.geo, &versions.agent, &versions.bots] {
        let version = version.split('+').next().unwrap_or_default();
        assert!(notice.contains(version), "{version} is not in NOTICE.md");
    }
}

#[test]
fn headers_and_agent_both_give_signals() {
    let enricher = enricher();
    let prefetch = PurposeHeaders {
        sec_purpose: Some("prefetch"),
        ..PurposeHeaders::default()
    };
    let none = PurposeHeaders::default();
    let signals = |agent, purpose| enricher.signals(agent, purpose, IpAddr::from([192, 0, 2, 1]));
    assert_eq!(signals(Some(SAFARI), &none), BotSignals::NONE);
    assert_eq!(signals(Some(SAFARI), &prefetch), BotSignals::PREFETCH);
    assert!(signals(Some("curl/8"), &none).refuses());
    assert!(!signals(None, &none).refuses());
}

#[test]
fn another_database_is_used_without_a_restart() {
    let enricher = enricher();
    let next = enricher.with_geo(GeoDatabase::bundled().unwrap());
    assert_eq!(next.versions(), enricher.versions());
    assert!(std::sync::Arc::ptr_eq(&next.agents, &enricher.agents));
}

proptest! {
    #[test]
    fn no_visitor_causes_a_panic(
        id in any::<String>(), agent in any::<Option<String>>(), claim in any::<String>(),
        v4 in any::<[u8; 4]>(), v6 in any::<[u16; 8]>(),
    ) {
        let enricher = enricher();
        for address in [IpAddr::from(v4), IpAddr::from(v6)] {
            let claims = Claims {
                device: Some(&claim), browser: Some(&claim), os: Some(&claim), os_version: Some(&claim),
                timezone: Some(&claim), language: Some(&claim), ..Claims::default()
            };
            let sighting = Sighting { address, user_agent: agent.as_deref(), claims };
            let visitor = enricher.visitor(WORKSPACE, Who::Id(&id), &sighting);
            prop_assert!(visitor.hash.is_some());
            let text = serde_json::to_string(&visitor).unwrap();
            prop_assert!(!text.contains("\\u0000"));
            if visitor.place == Place::default() { continue; }
            prop_assert!(visitor.place.country.is_some());
        }
    }
}
