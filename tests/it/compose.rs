//! `docker-compose.yml` without Docker: runs its services as processes with its environment, on loopback, and
//! checks the other files in `deploy/`.

use footfall_postgres::{EmbeddedPostgres, Programs};
use kit::{
    Client,
    child::{Program, pairs},
    log::TestLog,
    system::{PATIENCE, SECRET},
};
use runtime::SystemClock;
use serde_json::{Value, json};
use serde_norway::Value as Yaml;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use url::Url;

/// The passwords of PostgreSQL's roles in `.env`.
const API_PASSWORD: &str = "letters0and1digits";
const PROJECTOR_PASSWORD: &str = "other2letters3and4digits";

type Environment = BTreeMap<String, String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file with these variables filled in, as Compose does.
fn compose(variables: &Environment) -> Yaml {
    let mut file: Yaml = serde_norway::from_str(&read("docker-compose.yml")).unwrap();
    file.apply_merge().unwrap();
    interpolate(&mut file, variables);
    file
}

fn interpolate(value: &mut Yaml, variables: &Environment) {
    match value {
        Yaml::String(text) => *text = interpolated(text, variables),
        Yaml::Sequence(values) => values
            .iter_mut()
            .for_each(|value| interpolate(value, variables)),
        Yaml::Mapping(entries) => entries
            .values_mut()
            .for_each(|value| interpolate(value, variables)),
        _ => {}
    }
}

/// Replaces `${NAME:-default}` by variables; the file uses no other form.
fn interpolated(text: &str, variables: &Environment) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (expression, behind) = after.split_once('}').unwrap();
        let (name, default) = expression.split_once(":-").unwrap_or_else(|| {
            panic!("{expression} has no default: Compose would warn or fail without .env")
        });
        let value = variables.get(name).filter(|value| !value.is_empty());
        out.push_str(before);
        out.push_str(value.map_or(default, String::as_str));
        rest = behind;
    }
    out + rest
}

fn environment(file: &Yaml, service: &str) -> Environment {
    let given = &file["services"][service]["environment"];
    given
        .as_mapping()
        .unwrap_or_else(|| panic!("{service} has no environment"))
        .iter()
        .map(|(name, value)| {
            let name = name.as_str().unwrap().to_owned();
            // Compose knows texts and numbers; anything else is a mistake.
            let value = value
                .as_str()
                .map_or_else(|| value.as_i64().unwrap().to_string(), str::to_owned);
            (name, value)
        })
        .collect()
}

/// The variables that `.env.example` explains, including those in comments.
fn explained() -> BTreeSet<String> {
    read(".env.example")
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .collect()
}

#[test]
fn the_file_uses_explained_variables_pins_its_images_and_sets_what_the_services_read() {
    let text = read("docker-compose.yml");
    let used: BTreeSet<String> = text
        .split("${")
        .skip(1)
        .filter_map(|part| part.split_once(":-"))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(used, explained());

    let file = compose(&Environment::new());
    for (name, service) in file["services"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let image = service["image"].as_str().unwrap();
        let ours = image == format!("footfall/{name}") || name == "topics";
        if ours {
            let target = service["build"]["target"].as_str().unwrap();
            let dockerfile = read("Dockerfile");
            assert!(dockerfile.contains(&format!(" AS {target}\n")), "{target}");
        } else {
            let (_, tag) = image.split_once(':').unwrap();
            let pinned = tag.trim_start_matches('v').split('.').count() >= 2;
            assert!(pinned, "{image} may change by itself");
        }
        let profile = &service["profiles"][0];
        let watches = matches!(name, "prometheus" | "grafana");
        assert_eq!(profile == "observability", watches, "{name}");
    }
    for (service, declared) in [
        ("ingest", ingest::declared()),
        ("projector", projector::declared()),
        ("api", api::declared()),
    ] {
        for name in environment(&file, service).keys() {
            assert!(declared.find(name).is_some(), "{name} of {service}");
        }
    }
}

#[test]
fn without_secrets_each_service_names_the_missing_ones_and_exits_with_2() {
    let file = compose(&Environment::new());
    for (service, missing) in [
        (
            "ingest",
            &[
                "TRACKING_HMAC_SECRET",
                "ID_SECRET",
                "VISITOR_HASH_SECRET",
                "JWT_SECRET",
            ][..],
        ),
        ("api", &["JWT_SECRET"]),
    ] {
        let environment = environment(&file, service);
        let pairs: Vec<(&str, &str)> = pairs(&environment);
        let ended = Program::run(service, &[], &pairs, b"");
        assert_eq!(ended.code, Some(2), "{service}: {}", ended.err);
        for name in missing {
            assert!(
                ended.err.contains(&format!("{name}: is missing")),
                "{service}, {name}: {}",
                ended.err
            );
        }
    }
}

/// The service that receives a path, by the matchers of the gateway's file.
struct Gateway {
    matchers: Vec<(String, Vec<String>)>,
}

impl Gateway {
    fn read() -> Self {
        let matchers = read("deploy/Caddyfile")
            .lines()
            .filter_map(|line| line.trim().strip_prefix('@')?.split_once(" path "))
            .map(|(name, globs)| {
                let globs = globs.split_whitespace().map(str::to_owned).collect();
                (name.to_owned(), globs)
            })
            .collect();
        Self { matchers }
    }

    fn service(&self, path: &str) -> &str {
        let found = self
            .matchers
            .iter()
            .find(|(_, globs)| globs.iter().any(|glob| matches(glob, path)));
        found.map_or("api", |(name, _)| name)
    }
}

/// Paths of both services, each with its service.
const PATHS: &[(&str, &str)] = &[
    ("/api/v1/analytics/session", "ingest"),
    ("/api/v1/analytics/session/x/heartbeat", "ingest"),
    ("/api/v1/analytics/session/x/identify", "ingest"),
    ("/api/v1/analytics/pageview", "ingest"),
    ("/api/v1/analytics/pageview/x/leave", "ingest"),
    ("/api/v1/analytics/events", "ingest"),
    ("/api/v1/analytics/track", "ingest"),
    ("/api/v1/creators", "api"),
    ("/api/v1/creators/me", "api"),
    ("/api/v1/creators/x/bio", "api"),
    ("/api/v1/creators/x/links", "api"),
    ("/api/v1/creators/analytics/overview", "api"),
    ("/api/v1/creators/analytics/traffic", "api"),
    ("/api/v1/creators/analytics/links", "api"),
];

/// A glob with at most one star.
fn matches(glob: &str, path: &str) -> bool {
    match glob.split_once('*') {
        None => glob == path,
        Some((start, end)) => {
            path.len() >= start.len() + end.len() && path.starts_with(start) && path.ends_with(end)
        }
    }
}

/// A system as the file describes it, on loopback.
struct Running {
    log: TestLog,
    postgres: EmbeddedPostgres,
    _folder: TempDir,
    gateway: Gateway,
    addresses: BTreeMap<&'static str, String>,
    programs: Vec<Program>,
}

/// Replaces the addresses and databases of the file by those of the test.
struct Places {
    log: Environment,
    postgres: String,
    spool: String,
    listens: BTreeMap<&'static str, String>,
}

impl Places {
    fn map(&self, environment: Environment) -> Environment {
        let map = |(name, value): (String, String)| {
            let value = match name.as_str() {
                "KAFKA_BROKERS" => {
                    assert_eq!(value, "kafka:9092");
                    return self.log.clone().into_iter().collect();
                }
                "DATABASE_URL" | "ANALYTICS_DATABASE_URL" => {
                    assert!(!value.contains("footfall:"), "{value} is the superuser's");
                    assert!(value.contains("@postgres:5432/"), "{value}");
                    value.replace("@postgres:5432/", &format!("@{}/", self.postgres))
                }
                "SPOOL_DIR" => self.spool.clone(),
                "INGEST_LISTEN" => self.listens["ingest"].clone(),
                "PROJECTOR_LISTEN" => self.listens["projector"].clone(),
                "API_LISTEN" => self.listens["api"].clone(),
                _ => value,
            };
            vec![(name, value)]
        };
        environment.into_iter().flat_map(map).collect()
    }
}

/// PostgreSQL as its image prepares it for the services: a server, one database, then the script in `deploy`. A
/// second run of the script changes nothing.
async fn prepare_postgres(folder: &Path, environment: &Environment) -> EmbeddedPostgres {
    let home = folder.join("postgres");
    let server = EmbeddedPostgres::start(&home, Programs::Auto)
        .await
        .unwrap();
    server.create_database("footfall").await.unwrap();
    let url = Url::parse(&server.admin_url("postgres")).unwrap();
    for _ in 0..2 {
        let ran = Command::new(root().join("deploy/postgres/10-footfall.sh"))
            .envs(environment)
            .env("PGHOST", url.host_str().unwrap())
            .env("PGPORT", url.port().unwrap().to_string())
            .env("PGPASSWORD", url.password().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{said}");
        assert!(said.is_empty(), "{said}");
    }
    server
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

impl Running {
    async fn start() -> Self {
        let secrets = [
            "TRACKING_HMAC_SECRET",
            "ID_SECRET",
            "VISITOR_HASH_SECRET",
            "JWT_SECRET",
        ];
        let mut variables: Environment = secrets
            .into_iter()
            .map(|name| (name.to_owned(), SECRET.to_owned()))
            .collect();
        for (name, password) in [
            ("API_DATABASE_PASSWORD", API_PASSWORD),
            ("PROJECTOR_DATABASE_PASSWORD", PROJECTOR_PASSWORD),
        ] {
            variables.insert(name.to_owned(), password.to_owned());
        }
        let file = compose(&variables);
        let of_postgres = environment(&file, "postgres");
        assert_eq!(of_postgres["POSTGRES_DB"], "footfall");
        let folder = TempDir::new().unwrap();
        let postgres = prepare_postgres(folder.path(), &of_postgres).await;
        let address = Url::parse(&postgres.admin_url("postgres")).unwrap();
        let address = &address[url::Position::BeforeHost..url::Position::AfterPort];

        let log = TestLog::bare().await;
        let services = ["ingest", "projector", "api"];
        let addresses = services.map(|service| (service, free_address()));
        let places = Places {
            log: log.variables(),
            postgres: address.to_owned(),
            spool: folder.path().join("spool").display().to_string(),
            listens: addresses.clone().into(),
        };
        // The one-shot step, then the services that depend on it.
        let topics = places.map(environment(&file, "topics"));
        let made = Program::run("footfall", &["topics"], &pairs(&topics), b"");
        assert_eq!(made.code, Some(0), "{}", made.err);
        assert!(
            made.out.contains("events has 12 partitions"),
            "{}",
            made.out
        );
        let mut programs = Vec::new();
        for service in services {
            let mut environment = places.map(environment(&file, service));
            environment.insert("RUST_LOG".to_owned(), "warn".to_owned());
            programs.push(Program::start(service, &[], &pairs(&environment)));
        }
        let running = Self {
            log,
            postgres,
            _folder: folder,
            gateway: Gateway::read(),
            addresses: addresses.into(),
            programs,
        };
        for service in services {
            running.ready(service).await;
        }
        running
    }

    async fn ready(&self, service: &'static str) {
        let url = format!("http://{}/ready", self.addresses[service]);
        let asking = async {
            loop {
                let answer = reqwest::get(&url).await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(|_| panic!("{service} is not ready"));
    }

    /// A client of the service that receives a path from the gateway.
    fn client(&self, path: &str) -> Client {
        let address = &self.addresses[self.gateway.service(path)];
        Client::new(format!("http://{address}"), Arc::new(SystemClock))
    }

    async fn post(&self, path: &str, body: &Value) -> kit::Answer {
        self.client(path).post(path, body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_services_of_the_file_count_a_beacon_behind_its_gateway() {
    let running = Running::start().await;
    let creators = "/api/v1/creators";
    let api = running.client(creators);
    let creator = api.creator("ada").await;
    let body = api.session_body(creator.page, "visitor");
    let session = running.post("/api/v1/analytics/session", &body).await.id();
    let view = json!({"sessionId": session});
    running
        .post("/api/v1/analytics/pageview", &view)
        .await
        .assert_ok();
    let counted = async {
        while api.report(&creator, "overview").await["totalViews"] != 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counted)
        .await
        .expect("the view was not counted");

    for (path, service) in PATHS {
        assert_eq!(running.gateway.service(path), *service, "{path}");
        for (other, address) in &running.addresses {
            let answer = reqwest::get(format!("http://{address}{path}")).await;
            let found = answer.unwrap().status().as_u16() != 404;
            assert_eq!(found, other == service, "{path} at {other}");
        }
    }

    for program in &running.programs {
        program.signal("TERM");
    }
    for program in running.programs {
        assert_eq!(program.wait(), Some(0));
    }
    running.postgres.stop().await.unwrap();
    running.log.finish().await;
}

#[test]
fn the_gateway_serves_the_tracker_and_hides_metrics() {
    let gateway = Gateway::read();
    for (path, service) in [
        ("/footfall.js", "ingest"),
        ("/footfall-0123456789abcdef.js", "ingest"),
        ("/@ada", "api"),
        ("/health", "api"),
        ("/ready", "api"),
        ("/metrics", "inside"),
    ] {
        assert_eq!(gateway.service(path), service, "{path}");
    }
}

#[test]
fn dashboards_and_alerts_use_existing_metrics() {
    let declared = footfall::declared();
    let known = declared.metrics().iter();
    let known: BTreeSet<&str> = known.map(|metric| metric.name).collect();
    let services = ["api_", "files_", "http_", "ingest_", "kafka_", "projector_"];
    let mut asked = BTreeSet::new();
    for file in [
        "deploy/prometheus/alerts.yml",
        "deploy/grafana/dashboards/footfall.json",
    ] {
        let text = read(file);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| services.iter().any(|prefix| word.starts_with(prefix))) {
            let name = word.trim_end_matches("_bucket");
            assert!(known.contains(name), "{file} asks for {word}");
            asked.insert(name.to_owned());
        }
    }
    assert!(asked.len() > 15, "{asked:?}");
    let _: Value = serde_json::from_str(&read("deploy/grafana/dashboards/footfall.json")).unwrap();
    for file in [
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/prometheus.yml",
        "deploy/grafana/provisioning/datasources/prometheus.yml",
        "deploy/grafana/provisioning/dashboards/footfall.yml",
    ] {
        let _: Yaml = serde_norway::from_str(&read(file)).unwrap();
    }
}
