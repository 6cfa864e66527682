//! The program as a process: one command, its files, its exit codes, crashes and restarts.

use kit::{
    Client,
    child::Program,
    home::{Home, is_postgres, server},
    oracle,
};
use runtime::{Clock, SystemClock};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command, sync::Arc, time::Duration};
use uuid::Uuid;

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

/// The content of `run.json` once the process with that id is ready.
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
async fn the_program_starts_from_scratch_survives_kill_9_and_stops_cleanly() {
    let folder = Home::new();
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

    // Acknowledged events are in the tables, and repeated ones count once.
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
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_ends_with_its_database_and_recovers_at_the_next_start() {
    let folder = Home::new();
    let program = start(&folder);
    let run = ready(&folder, program.id()).await;
    let creator = client(&run).creator("ada").await;
    let session = client(&run).session(creator.page, "v").await;
    client(&run).view(session, None).await;

    let pid_file = folder.join("postgres/cluster/postmaster.pid");
    let server = fs::read_to_string(pid_file).unwrap();
    let server = server.lines().next().unwrap();
    let killed = Command::new("kill").args(["-KILL", server]).status();
    assert!(killed.unwrap().success());
    assert_eq!(program.wait(), Some(1));
    assert!(!folder.join("run.json").exists());

    let program = start(&folder);
    let run = ready(&folder, program.id()).await;
    let begun = tokio::time::Instant::now();
    while client(&run).report(&creator, "overview").await["totalViews"] != 1 {
        assert!(begun.elapsed() < kit::system::PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_fails_leaves_neither_a_server_nor_a_folder_behind() {
    let (sender, left) = tokio::sync::oneshot::channel();
    let failing = tokio::spawn(async move {
        let folder = Home::new();
        let program = start(&folder);
        ready(&folder, program.id()).await;
        let server = server(&folder).expect("a server");
        sender.send((server, folder.folder().to_owned())).unwrap();
        panic!("the test fails");
    });
    assert!(failing.await.unwrap_err().is_panic());
    let (server, folder) = left.await.unwrap();
    assert!(!is_postgres(&server), "process {server} still runs");
    assert!(!folder.exists());
}

/// Invalid settings, and a part of the message about each.
const WRONG: &[(&str, &str, &str)] = &[
    ("RATE_LIMITS", "sometimes", "\"sometimes\""),
    ("JWT_ALGORITHM", "none", "give HS256"),
    ("TRUSTED_PROXIES", "everybody", "give networks such as"),
    (
        "GEOIP_DATABASE",
        "/no/such/file",
        "use a Country or City MMDB file",
    ),
    (
        "BOT_NETWORKS",
        "/no/such/file",
        "give a file with a network or an address on each line",
    ),
    (
        "WEBHOOK_CA_FILE",
        "/no/such/file",
        "give a PEM file of certificates",
    ),
    (
        "PUBLIC_URL",
        "links.example",
        "give an http or https address",
    ),
    ("DATABASE_URL", "mysql://u:hunter2@h/x", "give postgres://"),
    (
        "ANALYTICS_DATABASE_URL",
        "postgres://h",
        "has no database name",
    ),
    ("KAFKA_ACKS", "1", "cannot be changed"),
    ("KAFKA_RETRIES", "0", "cannot be changed"),
    ("KAFKA_TRANSACTIONAL_ID", "x", "cannot be changed"),
    ("KAFKA_MAX_IN_FLIGHT", "10", "cannot be used"),
    (
        "FOOTFALL_LISTENN",
        "127.0.0.1:1",
        "the nearest one is FOOTFALL_LISTEN",
    ),
    ("JWT_EXPIRY", "1h", "is not a setting"),
    ("RATE_LIMIT_NOSUCH", "1/1", "is not a limit"),
    (
        "RATE_LIMIT_ANALYTICS_SESION",
        "1/1",
        "the nearest one is RATE_LIMIT_ANALYTICS_SESSION",
    ),
    ("ID_SECRET", "hunter2", "ID_SECRET"),
];

#[test]
fn wrong_settings_are_reported_together_before_anything_is_started() {
    let folder = Home::new();
    let mut environment: Vec<(&str, &str)> = WRONG
        .iter()
        .map(|(name, value, _)| (*name, *value))
        .collect();
    environment.extend([
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("FOOTFALL_LISTEN", "8080"),
        ("KAFKA_BROKERS", ""),
        ("EMBEDDED_POSTGRES", "perhaps"),
        // Variables of another of our programs, of a container platform, and an empty one: all are
        // accepted.
        ("INGEST_LISTEN", "127.0.0.1:1"),
        ("FOOTFALL_SERVICE_HOST", "10.0.0.1"),
        ("FOOTFALL_COLOUR", ""),
    ]);
    let ended = Program::run("footfall", &["up"], &environment, b"");
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    let said = |name: &str, what: &str| {
        let mut lines = ended.err.lines();
        let line = lines.find(|line| line.starts_with(&format!("  {name}: ")));
        assert!(
            line.is_some_and(|line| line.contains(what)),
            "{name}: {}",
            ended.err
        );
    };
    for (name, _, what) in WRONG {
        said(name, what);
    }
    said("FOOTFALL_LISTEN", "give an address and a port");
    said("EMBEDDED_POSTGRES", "give auto, installed or download");
    let count = WRONG.len() + 2;
    assert!(
        ended
            .err
            .contains(&format!("{count} settings cannot be used:")),
        "each once: {}",
        ended.err
    );
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    assert!(!folder.exists(), "a part was started");
}

#[test]
fn each_service_alone_reports_wrong_settings_together() {
    for (program, listen, read) in [
        (
            "ingest",
            "INGEST_LISTEN",
            &[
                "GEOIP_DATABASE",
                "BOT_NETWORKS",
                "JWT_ALGORITHM",
                "ID_SECRET",
                "FOOTFALL_LISTENN",
                "RATE_LIMIT_ANALYTICS_SESION",
            ][..],
        ),
        (
            "projector",
            "PROJECTOR_LISTEN",
            &["ANALYTICS_DATABASE_URL", "KAFKA_ACKS", "KAFKA_RETRIES"],
        ),
        (
            "api",
            "API_LISTEN",
            &[
                "DATABASE_URL",
                "PUBLIC_URL",
                "JWT_ALGORITHM",
                "WEBHOOK_CA_FILE",
            ],
        ),
    ] {
        let mut environment: Vec<(&str, &str)> = WRONG
            .iter()
            .map(|(name, value, _)| (*name, *value))
            .collect();
        environment.extend([(listen, "localhost"), ("KAFKA_BROKERS", "")]);
        let ended = Program::run(program, &[], &environment, b"");
        assert_eq!(ended.code, Some(2), "{program}: {}", ended.err);
        for name in [&[listen, "KAFKA_BROKERS"], read].concat() {
            assert!(
                ended.err.contains(&format!("\n  {name}: ")),
                "{program}, {name}: {}",
                ended.err
            );
        }
        assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    }
}

#[test]
fn every_command_reports_invalid_settings_that_it_does_not_read() {
    let folder = Home::new();
    let page = Uuid::nil().to_string();
    let commands: [&[&str]; 5] = [
        &["token", "--sub", "ada"],
        &["tracking-token", &page],
        &["replay"],
        &["topics"],
        &["import", "-"],
    ];
    let environment = [
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("KAFKA_BROKERS", ""),
        ("DATABASE_URL", ""),
        ("JWT_SECRET", kit::system::SECRET),
        ("TRACKING_HMAC_SECRET", kit::system::SECRET),
        ("RATE_LIMIT_NOSUCH", "1/1"),
        ("KAFKA_RETRIES", "0"),
        ("KAFKA_LINGER_MS", "abc"),
    ];
    for arguments in commands {
        let ended = Program::run("footfall", arguments, &environment, b"");
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
        for said in [
            "3 settings cannot be used:",
            "\n  RATE_LIMIT_NOSUCH: is not a limit",
            "\n  KAFKA_RETRIES: retries cannot be changed",
            "\n  KAFKA_LINGER_MS: Invalid value for configuration property \"linger.ms\"\n",
        ] {
            assert!(ended.err.contains(said), "{arguments:?}: {}", ended.err);
        }
    }
}

#[test]
fn an_address_in_use_is_reported_with_advice() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let environment = [
        ("PROJECTOR_LISTEN", address.as_str()),
        ("KAFKA_BROKERS", "127.0.0.1:9"),
        ("ANALYTICS_DATABASE_URL", "postgres://127.0.0.1:9/x"),
    ];
    let ended = Program::run("projector", &[], &environment, b"");
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(
        ended.err.contains(&address) && ended.err.contains("choose another address"),
        "{}",
        ended.err
    );
}

#[test]
fn the_token_command_makes_only_hs256_tokens_with_the_configured_claims() {
    let folder = Home::new();
    let data = ("FOOTFALL_DATA_DIR", folder.to_str().unwrap());
    let secret = ("JWT_SECRET", kit::system::SECRET);
    let run = |more: &[&str], environment: &[(&str, &str)]| {
        let arguments = [&["token", "--sub", "ada"], more].concat();
        Program::run("footfall", &arguments, environment, b"")
    };
    let other = run(&[], &[data, ("JWT_ALGORITHM", "EdDSA")]);
    assert_eq!(other.code, Some(2));
    assert!(
        other.err.contains("makes only HS256 tokens"),
        "{}",
        other.err
    );
    for ttl in [
        "--ttl=0s",
        "--ttl=-1h",
        "--ttl=500ms",
        "--ttl=87600h",
        "--ttl=99999999999999999999h",
    ] {
        let refused = run(&[ttl], &[data, secret]);
        assert_eq!(refused.code, Some(2), "{ttl}: {}", refused.out);
        assert!(refused.err.contains("--ttl"), "{}", refused.err);
    }
    let short = run(&[], &[data, ("JWT_SECRET", "short")]);
    assert_eq!(short.code, Some(2), "{}", short.out);
    let environment = [data, secret, ("JWT_ISSUER", "us"), ("JWT_AUDIENCE", "them")];
    let made = run(&[], &environment);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let token = made
        .out
        .lines()
        .find(|line| line.starts_with("ey"))
        .unwrap();
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token)
        .unwrap()
        .claims;
    assert_eq!(
        (&claims["sub"], &claims["iss"], &claims["aud"]),
        (&json!("ada"), &json!("us"), &json!("them"))
    );
    assert!(!folder.exists(), "the command created the folder");
}

#[test]
fn commands_create_nothing_in_a_mistyped_folder() {
    let folder = Home::new();
    let page = Uuid::nil().to_string();
    let commands: [&[&str]; 5] = [
        &["token", "--sub", "ada"],
        &["tracking-token", &page],
        &["replay"],
        &["topics"],
        &["import", "-"],
    ];
    let environment = [
        ("KAFKA_BROKERS", ""),
        ("DATABASE_URL", ""),
        ("ANALYTICS_DATABASE_URL", ""),
        ("JWT_SECRET", ""),
        ("TRACKING_HMAC_SECRET", ""),
    ];
    let run = |arguments: &[&str]| {
        let place = ["--data-dir", folder.to_str().unwrap()];
        let ended = Program::run("footfall", &[&place, arguments].concat(), &environment, b"");
        assert_eq!(
            ended.code,
            Some(1),
            "{arguments:?}: {} {}",
            ended.out,
            ended.err
        );
        let said = ended.err.contains("--data-dir") && ended.err.contains(folder.to_str().unwrap());
        assert!(said, "{arguments:?}: {}", ended.err);
        assert!(
            !ended.out.lines().any(|line| line.starts_with("ey")),
            "{}",
            ended.out
        );
    };
    for arguments in commands {
        run(arguments);
        assert!(!folder.exists(), "{arguments:?} created the folder");
    }
    // Nor in a folder that exists but is not ours.
    fs::create_dir(&*folder).unwrap();
    for arguments in commands {
        run(arguments);
        let made: Vec<_> = folder.read_dir().unwrap().collect();
        assert!(made.is_empty(), "{arguments:?} created {made:?}");
    }
    // The secrets that `up` keeps are used.
    let secrets = ["JWT_SECRET", "TRACKING_HMAC_SECRET"];
    let secrets = secrets.map(|name| format!("{name} = \"{}\"\n", kit::system::SECRET));
    fs::write(folder.join("secrets.toml"), secrets.concat()).unwrap();
    for arguments in &commands[..2] {
        let place = ["--data-dir", folder.to_str().unwrap()];
        let ended = Program::run(
            "footfall",
            &[&place, *arguments].concat(),
            &environment,
            b"",
        );
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
    }
    assert_eq!(folder.read_dir().unwrap().count(), 1);
}
