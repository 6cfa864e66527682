//! The program from outside: one command, its files, its exit codes, its death and its return.

use kit::{Client, child::Program, oracle};
use runtime::{Clock, SystemClock, SystemIds};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// A folder below one that nobody else may enter, as a home is.
pub fn private_folder() -> PathBuf {
    let parent = std::env::temp_dir().join(format!(
        "footfall-home-{}",
        runtime::IdSource::uuid_v7(&SystemIds, SystemClock.now())
    ));
    fs::DirBuilder::new().mode(0o700).create(&parent).unwrap();
    parent.join("data")
}

pub fn start(folder: &Path) -> Program {
    let folder = folder.to_str().unwrap();
    let secret = kit::system::SECRET;
    let environment = [
        ("FOOTFALL_DATA_DIR", folder),
        ("FOOTFALL_LISTEN", "127.0.0.1:0"),
        ("RATE_LIMITS", "off"),
        ("KAFKA_BROKERS", ""),
        ("JWT_SECRET", secret),
        ("TRACKING_HMAC_SECRET", secret),
        ("RUST_LOG", "warn"),
    ];
    Program::start("footfall", &["up"], &environment)
}

/// What `run.json` says once the program of that process id is ready.
pub async fn ready(folder: &Path, pid: u32) -> Value {
    let begun = tokio::time::Instant::now();
    loop {
        let text = fs::read_to_string(folder.join("run.json")).unwrap_or_default();
        let run: Value = serde_json::from_str(&text).unwrap_or_default();
        if run["pid"] == pid {
            return run;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(90),
            "not ready after 90 s"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub fn client(run: &Value) -> Client {
    Client::new(
        format!("http://{}", run["listen"].as_str().unwrap()),
        Arc::new(SystemClock),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_starts_on_nothing_survives_kill_9_and_stops_cleanly() {
    let folder = private_folder();
    let program = start(&folder);
    let run = ready(&folder, program.id()).await;
    assert_eq!(
        fs::metadata(folder.join("run.json")).unwrap().mode() & 0o777,
        0o600
    );
    for member in [
        "listen",
        "kafka",
        "databaseUrl",
        "analyticsDatabaseUrl",
        "version",
        "startedAt",
    ] {
        assert!(run[member].is_string(), "{member} in {run}");
    }

    // A second program on the same directory is refused.
    let second = start(&folder);
    assert_eq!(second.wait(), Some(1));

    let creator = client(&run).creator("ada").await;
    let send = async |run: &Value, from: u128, to: u128| {
        for number in from..to {
            let client = client(run);
            let mut body = client.session_body(creator.page, &format!("visitor {}", number % 7));
            body["eventId"] = json!(Uuid::from_u128(number));
            let session = client.post("/api/v1/analytics/session", &body).await.id();
            let view = json!({"sessionId": session, "eventId": Uuid::from_u128(1000 + number)});
            client
                .post("/api/v1/analytics/pageview", &view)
                .await
                .assert_ok();
        }
    };
    send(&run, 0, 30).await;
    program.kill();

    // What was acknowledged is there; what is sent again counts once.
    let program = start(&folder);
    let run = ready(&folder, program.id()).await;
    send(&run, 20, 40).await;
    let analytics = PgPool::connect(run["analyticsDatabaseUrl"].as_str().unwrap())
        .await
        .unwrap();
    let main = PgPool::connect(run["databaseUrl"].as_str().unwrap())
        .await
        .unwrap();
    let begun = tokio::time::Instant::now();
    while client(&run).report(&creator, "overview").await["totalViews"] != 40 {
        let overview = client(&run).report(&creator, "overview").await;
        assert!(begun.elapsed() < kit::system::PATIENCE, "{overview}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (path, expected) in
        oracle::reports(&analytics, &main, creator.page, SystemClock.now(), 30).await
    {
        assert_eq!(client(&run).report(&creator, &path).await, expected);
    }
    assert_eq!(
        client(&run).report(&creator, "overview").await["uniqueVisitors"],
        7
    );
    analytics.close().await;
    main.close().await;

    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
    assert!(!folder.join("run.json").exists());
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
}

#[test]
fn wrong_settings_are_reported_together_before_anything_is_started() {
    let folder = private_folder();
    let environment = [
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("RATE_LIMITS", "sometimes"),
        ("JWT_ALGORITHM", "none"),
        ("TRUSTED_PROXIES", "everybody"),
    ];
    assert_eq!(
        Program::start("footfall", &["up"], &environment).wait(),
        Some(2)
    );
    assert!(!folder.exists(), "nothing was started");
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
}
