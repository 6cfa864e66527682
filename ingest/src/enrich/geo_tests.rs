//! Tests records of every layout in small databases, the bundled database, and damaged files.

use super::{
    geo::*,
    mmdb_fixture::{
        Value::{self, List, Map, Number, Text},
        database,
    },
};
use proptest::prelude::*;
use schemas::{Place, countries};
use std::net::IpAddr;

fn names(en: &'static str) -> Value {
    Map(vec![(
        "names",
        Map(vec![("de", Text("Anderswo")), ("en", Text(en))]),
    )])
}

fn nested(code: &'static str, name: &'static str) -> Value {
    Map(vec![
        ("city", names("London")),
        ("continent", Map(vec![("code", Text("EU"))])),
        (
            "country",
            Map(vec![
                ("iso_code", Text(code)),
                ("names", Map(vec![("en", Text(name))])),
            ]),
        ),
        (
            "subdivisions",
            List(vec![names("England"), names("Greater London")]),
        ),
    ])
}

fn flat(code: &'static str) -> Value {
    Map(vec![
        ("city", Text("London")),
        ("country_code", Text(code)),
        ("state1", Text("England")),
        ("state2", Text("")),
    ])
}

fn lookup(bytes: Vec<u8>) -> Place {
    GeoDatabase::read(bytes).unwrap().lookup(ip("81.2.69.142"))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn london() -> Place {
    Place {
        country: Some("United Kingdom".into()),
        country_code: Some("GB".into()),
        region: Some("England".into()),
        city: Some("London".into()),
        continent: Some("EU".into()),
    }
}

#[test]
fn every_layout_gives_the_same_place() {
    assert_eq!(
        lookup(database("GeoLite2-City", &nested("GB", "Great Britain"))),
        london()
    );
    assert_eq!(
        lookup(database("DBIP-Location (compat=no)", &flat("gb"))),
        london()
    );
    let bare = Map(vec![("country_code", Text("GB"))]);
    let country = Place {
        region: None,
        city: None,
        ..london()
    };
    assert_eq!(lookup(database("country ipvAll", &bare)), country);
}

#[test]
fn a_code_outside_the_table_has_the_databases_name_or_none() {
    let named = lookup(database("City", &nested("QX", "Atlantis")));
    assert_eq!(named.country.as_deref(), Some("Atlantis"));
    assert_eq!(named.country_code.as_deref(), Some("QX"));
    assert_eq!(named.continent.as_deref(), Some("EU"));
    let nameless = lookup(database("City", &flat("ZZ")));
    assert_eq!((nameless.country, nameless.country_code), (None, None));
    assert_eq!(nameless.city.as_deref(), Some("London"));
}

#[test]
fn an_address_without_a_record_has_no_place() {
    let database = GeoDatabase::read(database("City", &flat("GB"))).unwrap();
    assert!(database.lookup(ip("81.2.70.1")).is_empty());
    // The database is for IPv4 only.
    assert!(database.lookup(ip("2a00:1450::1")).is_empty());
    assert_eq!(database.lookup(ip("::ffff:81.2.69.142")), london());
    assert_eq!(database.version(), "City 2025-06-15");
}

#[test]
fn the_bundled_database_knows_the_world() {
    let database = GeoDatabase::bundled().unwrap();
    assert_eq!(database.version(), "geo-whois-asn-country 2026-06-17");
    for (address, code, name, continent) in [
        ("81.2.69.142", "GB", "United Kingdom", "EU"),
        ("::ffff:81.2.69.142", "GB", "United Kingdom", "EU"),
        ("8.8.8.8", "US", "United States", "NA"),
        ("78.160.0.1", "TR", "Turkey", "AS"),
        ("2a02:ff0::1", "TR", "Turkey", "AS"),
        ("77.88.55.60", "RU", "Russia", "EU"),
        ("211.231.99.1", "KR", "South Korea", "AS"),
        ("14.160.0.1", "VN", "Vietnam", "AS"),
        ("200.160.2.3", "BR", "Brazil", "SA"),
    ] {
        let place = Place {
            country: Some(name.into()),
            country_code: Some(code.into()),
            continent: Some(continent.into()),
            ..Place::default()
        };
        assert_eq!(database.lookup(ip(address)), place, "{address}");
    }
}

#[test]
fn the_bundled_database_is_complete_and_its_countries_have_names() {
    let codes = GeoDatabase::bundled().unwrap().codes().unwrap();
    assert!(codes.len() > 240, "{}", codes.len());
    for code in codes {
        assert!(countries::by_code(&code).is_some(), "{code} has no name");
    }
}

#[test]
fn addresses_that_are_not_public_have_no_place() {
    let database = GeoDatabase::bundled().unwrap();
    for address in [
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.1.1",
        "0.0.0.0",
        "100.64.0.1",
        "::1",
        "::",
        "fc00::1",
        "fe80::1",
        "::ffff:10.0.0.1",
    ] {
        assert!(database.lookup(ip(address)).is_empty(), "{address}");
    }
}

#[test]
fn a_database_of_another_kind_is_refused() {
    let asn = Map(vec![("autonomous_system_number", Number(4, 64_500))]);
    assert_eq!(
        GeoDatabase::read(database("GeoLite2-ASN", &asn))
            .unwrap_err()
            .to_string(),
        "the GeoIP database test (GeoLite2-ASN) has no countries; use a City or Country database"
    );
}

#[test]
fn a_file_is_opened_or_named_in_the_error() {
    let folder = std::env::temp_dir().join(format!("footfall-geo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("city.mmdb");
    let missing = GeoDatabase::open(&path).unwrap_err();
    assert!(matches!(&missing, GeoError::Unreadable { name, .. } if name.ends_with("city.mmdb")));
    let bytes = database("City", &nested("GB", "United Kingdom"));
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(
        GeoDatabase::open(&path).unwrap().lookup(ip("81.2.69.142")),
        london()
    );
    // A file that is still being copied.
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let cut = GeoDatabase::open(&path).unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        matches!(&cut, GeoError::Corrupt { name, .. } if name.ends_with("city.mmdb")),
        "{cut}"
    );
}

proptest! {
    #[test]
    fn damage_is_an_error_or_harmless_and_never_a_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<Option<prop::sample::Index>>(),
        last in any::<u8>(),
    ) {
        let mut bytes = database("City", &nested("GB", "United Kingdom"));
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(database) = GeoDatabase::read(bytes) {
            let _ = database.lookup(IpAddr::from([81, 2, 69, last]));
        }
    }
}
