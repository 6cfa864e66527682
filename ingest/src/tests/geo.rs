//! Tests how a change of the operator's GeoIP database affects the next session.

use super::kit::*;
use crate::{
    enrich::mmdb_fixture::{
        Value::{Map, Text},
        database,
    },
    geo_file::GeoFile,
};
use runtime::{
    Settings,
    watched_file::{Follower, Look},
};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::{TempDir, tempdir};

const ENGLAND: (&str, &str) = ("GB", "United Kingdom");
const TURKEY: (&str, &str) = ("TR", "Turkey");

/// A database in which all addresses of these tests are in this country.
fn countries(kind: &'static str, country: (&'static str, &str)) -> Vec<u8> {
    database(kind, &Map(vec![("country_code", Text(country.0))]))
}

/// An instance whose database comes from a file.
struct Placed {
    folder: TempDir,
    path: PathBuf,
    instance: Instance,
    follower: Follower,
}

impl Placed {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempdir().unwrap();
        let path = folder.path().join("places.mmdb");
        fs::write(&path, bytes).unwrap();
        let file = GeoFile::read(&mut settings(&path)).unwrap();
        let instance = Instance::new();
        instance.intake.use_geo(file.database());
        let follower = file.follow(Arc::clone(&instance.intake));
        Self {
            folder,
            path,
            instance,
            follower,
        }
    }

    /// Replaces the file atomically, as careful programs do.
    fn rename_over(&self, bytes: &[u8]) {
        let beside = self.folder.path().join("places.new");
        fs::write(&beside, bytes).unwrap();
        fs::rename(&beside, &self.path).unwrap();
    }

    /// The result of the look that finds the file changed and complete.
    async fn settled(&mut self) -> Look {
        assert_eq!(self.follower.look().await, Look::Same, "still changing");
        self.follower.look().await
    }

    /// The name and code of the next session's country, and the database version in its event.
    async fn next(&self) -> (Value, Value, Value) {
        let body = json!({
            "visitorId": "v",
            "consentAnalytics": "granted",
            "bioPageId": PAGE,
            "trackingToken": token(PAGE),
        });
        let answered = self.instance.post("/session", &body).await;
        assert_eq!(answered.status, 200, "{}", answered.body);
        let event = self.instance.sink.take_json().remove(0);
        let place = &event["visitor"]["place"];
        (
            place["country"].clone(),
            place["country_code"].clone(),
            event["enrichment"]["geo"].clone(),
        )
    }

    async fn assert_next(&self, country: (&str, &str), database: &str) {
        let (code, name) = country;
        assert_eq!(
            self.next().await,
            (json!(name), json!(code), json!(database))
        );
    }
}

fn settings(path: &Path) -> Settings {
    Settings::from_pairs([("GEOIP_DATABASE", path.to_str().unwrap())])
}

#[tokio::test]
async fn a_replaced_file_is_used_for_the_next_session_and_named_in_its_event() {
    let mut placed = Placed::new(&countries("First", ENGLAND));
    placed.assert_next(ENGLAND, "First 2025-06-15").await;
    assert_eq!(placed.follower.look().await, Look::Same);

    placed.rename_over(&countries("Second", TURKEY));
    let used = Look::Used("Second 2025-06-15".to_owned());
    assert_eq!(placed.settled().await, used);
    placed.assert_next(TURKEY, "Second 2025-06-15").await;

    fs::write(&placed.path, countries("Third", ENGLAND)).unwrap();
    let used = Look::Used("Third 2025-06-15".to_owned());
    assert_eq!(placed.settled().await, used);
    placed.assert_next(ENGLAND, "Third 2025-06-15").await;
}

#[tokio::test]
async fn an_unfinished_broken_or_missing_file_leaves_the_former_database_in_use() {
    let mut placed = Placed::new(&countries("First", ENGLAND));
    let next = countries("Second", TURKEY);
    let (half, rest) = next.split_at(next.len() / 2);

    // The file is written slowly in place, so every look finds it still changing.
    let mut file = fs::File::create(&placed.path).unwrap();
    for part in half.chunks(half.len() / 3) {
        file.write_all(part).unwrap();
        assert_eq!(placed.follower.look().await, Look::Same);
        placed.assert_next(ENGLAND, "First 2025-06-15").await;
    }
    // Then the writer pauses in the middle.
    let look = placed.follower.look().await;
    assert!(
        matches!(&look, Look::Refused(why) if why.contains("damaged")),
        "{look:?}"
    );
    placed.assert_next(ENGLAND, "First 2025-06-15").await;
    assert_eq!(placed.follower.look().await, Look::Same, "warned once");
    file.write_all(rest).unwrap();
    assert!(matches!(placed.settled().await, Look::Used(_)));
    placed.assert_next(TURKEY, "Second 2025-06-15").await;

    let of_providers = database("GeoLite2-ASN", &Map(vec![("organization", Text("x"))]));
    for broken in [&b"<html>404</html>"[..], &of_providers, &[]] {
        placed.rename_over(broken);
        assert!(matches!(placed.settled().await, Look::Refused(_)));
        placed.assert_next(TURKEY, "Second 2025-06-15").await;
    }
    fs::remove_file(&placed.path).unwrap();
    assert!(matches!(placed.settled().await, Look::Refused(_)));
    placed.assert_next(TURKEY, "Second 2025-06-15").await;
    placed.rename_over(&countries("Third", ENGLAND));
    assert!(matches!(placed.settled().await, Look::Used(_)));
    placed.assert_next(ENGLAND, "Third 2025-06-15").await;
}

#[test]
fn an_unusable_file_at_the_start_is_a_problem_of_its_setting() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("places.mmdb");
    let problem = |path: &Path| {
        let mut settings = settings(path);
        assert!(GeoFile::read(&mut settings).is_none());
        settings.finish().unwrap_err().to_string()
    };
    let said = problem(&path);
    assert!(
        said.contains("GEOIP_DATABASE: cannot read the GeoIP database"),
        "{said}"
    );
    fs::write(&path, "no database").unwrap();
    let said = problem(&path);
    assert!(
        said.contains("damaged") && said.contains("use a Country or City MMDB file"),
        "{said}"
    );
    let mut none = Settings::default();
    assert!(GeoFile::read(&mut none).is_none());
    none.finish().unwrap();
}
