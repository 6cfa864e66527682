//! Compares the cost of a durable beacon in ingest with a handler that only parses the same JSON.
//!
//! Both are separate processes under the same load; CPU time is as the kernel counts it.

use axum::{
    Json, Router,
    http::{HeaderName, StatusCode, header},
    routing::post,
};
use footfall_log::{Broker, Credentials, Options};
use runtime::{
    Clock, IdSource, Producer, SystemClock, SystemIds, kafka::KafkaSettings, producer::Record,
    topics,
};
use schemas::{
    Keyring, PageId, WorkspaceId, WorkspaceNo,
    directory::{Entry, Page, Workspace},
    topics::{DIRECTORY, EVENTS_PARTITIONS_EMBEDDED},
    tracking_token,
};
use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// The user name of the embedded log; the password is the secret.
pub(crate) const LOGIN: &str = "bench";
pub(crate) const SECRET: &str = "a-secret-for-measurements-only-0123456789";
/// Clock ticks of `/proc/<pid>/stat` per second: `USER_HZ`, 100 on every Linux architecture that we support.
const TICKS_PER_SECOND: f64 = 100.0;

/// `footfall-bench cost`
#[derive(Debug, clap::Args)]
pub struct Cost {
    /// Beacons for each of the two
    #[arg(long, default_value_t = 60_000)]
    beacons: u32,
    /// Requests in flight
    #[arg(long, default_value_t = 256)]
    concurrency: usize,
    /// Kafka cluster to publish to; else the embedded log, in this process
    #[arg(long)]
    brokers: Option<String>,
    /// The ingest binary
    #[arg(long, default_value = "target/release/ingest")]
    ingest: PathBuf,
    /// Rounds; the two take turns
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

impl Cost {
    /// Measures both in turns and prints the ratio.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        require(&self.ingest)?;
        let folder = std::env::temp_dir().join(format!("footfall-bench-{}", std::process::id()));
        let embedded = match &self.brokers {
            Some(_) => None,
            None => Some(start(&folder).await?),
        };
        let kafka = match &embedded {
            Some(broker) => KafkaSettings::with_login(broker.bootstrap_servers(), LOGIN, SECRET),
            None => KafkaSettings::new(self.brokers.clone().unwrap_or_default()),
        };
        let page = prepare(&kafka).await?;
        let variables = kafka.variables();
        let environment = environment(&variables);

        let (mut durable, mut bare) = (Vec::new(), Vec::new());
        for round in 1..=self.rounds {
            // In turns, so that other load on the machine affects both.
            let ingest =
                Process::start(Command::new(&self.ingest), "127.0.0.1:18081", &environment).await?;
            durable.push(self.measure(&ingest, page).await?);
            drop(ingest);
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("bare");
            let parser = Process::start(command, "127.0.0.1:18082", &[]).await?;
            bare.push(self.measure(&parser, page).await?);
            println!(
                "round {round}: durable {:.0}, parsed only {:.0} beacons per CPU-second",
                durable[durable.len() - 1],
                bare[bare.len() - 1]
            );
        }
        let median = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let (durable, bare) = (median(&mut durable), median(&mut bare));
        println!(
            "median: durable {durable:.0}, parsed only {bare:.0} beacons per CPU-second, ratio {:.2}",
            durable / bare
        );
        if let Some(broker) = embedded {
            broker.stop().await;
            let _ = fs::remove_dir_all(folder);
        }
        Ok(())
    }

    /// Beacons per CPU-second of a process: page views of one session, the most frequent kind of beacon.
    async fn measure(&self, process: &Process, page: Uuid) -> Result<f64, Box<dyn Error>> {
        let http = reqwest::Client::new();
        let base = format!("http://{}/api/v1/analytics", process.address);
        let token = tracking_token::make(&Keyring::parse(SECRET)?, PageId(page), SystemClock.now());
        let session = json!({
            "visitorId": "visitor", "consentAnalytics": "granted", "bioPageId": page, "trackingToken": token,
        });
        let answer: Value = http
            .post(format!("{base}/session"))
            .json(&session)
            .send()
            .await?
            .json()
            .await?;
        let session = answer["data"]["id"]
            .as_str()
            // The handler for comparison returns no session id.
            .unwrap_or("00000000-0000-8000-8000-000000000000")
            .to_owned();
        let before = process.cpu_seconds()?;
        let each = self.beacons / u32::try_from(self.concurrency)?;
        let tasks: Vec<_> = (0..self.concurrency)
            .map(|_| {
                let (http, url) = (http.clone(), format!("{base}/pageview"));
                let body = json!({
                    "sessionId": session, "path": "/@ada", "title": "Ada's page", "referrer": "https://www.instagram.com/",
                    "eventId": SystemIds.uuid_v7(SystemClock.now()),
                });
                let body = Arc::new(serde_json::to_vec(&body).unwrap_or_default());
                tokio::spawn(async move {
                    let mut acknowledged = 0u32;
                    for _ in 0..each {
                        let request = http.post(&url).header("content-type", "application/json").body(body.to_vec());
                        if let Ok(answer) = request.send().await
                            && answer.status().is_success()
                            && answer.bytes().await.is_ok()
                        {
                            acknowledged += 1;
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        let mut acknowledged = 0;
        for task in tasks {
            acknowledged += task.await?;
        }
        let used = process.cpu_seconds()? - before;
        if acknowledged < each * u32::try_from(self.concurrency)? {
            return Err(format!("only {acknowledged} beacons were acknowledged").into());
        }
        Ok(f64::from(acknowledged) / used)
    }
}

/// Fails when there is no ingest binary.
pub(crate) fn require(ingest: &Path) -> Result<(), Box<dyn Error>> {
    if ingest.is_file() {
        return Ok(());
    }
    let ingest = ingest.display();
    let hint = "build it with `cargo build --release -p ingest`, or name it with --ingest";
    Err(format!("there is no program {ingest}; {hint}").into())
}

/// The environment of an ingest process on a cluster with these settings.
pub(crate) fn environment(kafka: &[(String, String)]) -> Vec<(&str, &str)> {
    let mut environment = vec![
        ("INGEST_LISTEN", "127.0.0.1:18081"),
        ("JWT_SECRET", SECRET),
        ("TRACKING_HMAC_SECRET", SECRET),
        ("ID_SECRET", SECRET),
        ("VISITOR_HASH_SECRET", SECRET),
        ("RATE_LIMITS", "off"),
        ("RUST_LOG", "warn"),
    ];
    let pairs = kafka.iter();
    environment.extend(pairs.map(|(name, value)| (name.as_str(), value.as_str())));
    environment
}

/// Makes the topics, and a page in the directory.
pub(crate) async fn prepare(kafka: &KafkaSettings) -> Result<Uuid, Box<dyn Error>> {
    topics::ensure(
        kafka,
        EVENTS_PARTITIONS_EMBEDDED,
        &SystemIds,
        SystemClock.now(),
    )
    .await?;
    let (page, workspace) = (Uuid::from_u128(1), WorkspaceId(Uuid::from_u128(2)));
    let workspace_no = WorkspaceNo(1);
    let entries = [
        Entry::Workspace(Workspace {
            workspace_no,
            workspace_id: workspace,
            deleted: false,
            row_version: 1,
        }),
        Entry::Page(Page {
            page_id: PageId(page),
            workspace_no,
            workspace_id: workspace,
            row_version: 1,
        }),
    ];
    let producer = Producer::new(kafka)?;
    for entry in entries {
        let payload = serde_json::to_vec(&entry)?;
        let record = Record {
            topic: DIRECTORY,
            key: &entry.key(),
            payload: &payload,
            headers: &[],
        };
        for outcome in producer.send(&[record]).await {
            outcome?;
        }
    }
    Ok(page)
}

/// A server under measurement; stopped when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: &'static str,
}

pub(crate) async fn start(folder: &Path) -> Result<Broker, Box<dyn Error>> {
    let credentials = Credentials {
        username: LOGIN.to_owned(),
        password: SECRET.to_owned(),
    };
    Ok(Broker::start(folder, Options::new(credentials)).await?)
}

impl Process {
    pub(crate) async fn start(
        mut command: Command,
        address: &'static str,
        environment: &[(&str, &str)],
    ) -> Result<Self, Box<dyn Error>> {
        let child = command
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| {
                let program = Path::new(command.get_program()).display();
                format!("{program} cannot be started: {error}")
            })?;
        let process = Self { child, address };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if let Ok(answer) = reqwest::get(format!("http://{address}/ready")).await
                && answer.status().is_success()
            {
                return Ok(process);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("nothing is ready at {address}").into())
    }

    /// User and system time so far: fields 14 and 15 of `/proc/<pid>/stat`, see proc(5).
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks: f64 = fields
            .get(11..13)
            .unwrap_or_default()
            .iter()
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        Ok(ticks / TICKS_PER_SECOND)
    }
}

impl Process {
    /// Memory in use: `VmRSS` of `/proc/<pid>/status`, see proc(5).
    pub(crate) fn memory_bytes(&self) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kibibytes.unwrap_or_default().parse::<f64>()? * 1_024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The handlers for comparison: axum, the same JSON and the same kind of value; and one redirect.
pub async fn serve_bare() -> Result<(), Box<dyn Error>> {
    async fn parse(Json(body): Json<Value>) -> Json<Value> {
        Json(json!({"success": true, "data": {"id": body["sessionId"]}}))
    }
    async fn redirect() -> (StatusCode, [(HeaderName, &'static str); 2]) {
        let headers = [
            (header::LOCATION, "https://shop.example/products/1?from=go"),
            (header::CACHE_CONTROL, "private, no-store"),
        ];
        (StatusCode::FOUND, headers)
    }
    let router = Router::new()
        .route("/ready", axum::routing::get(|| async { "ready" }))
        .route("/{code}", axum::routing::get(redirect))
        .route("/api/v1/analytics/session", post(parse))
        .route("/api/v1/analytics/pageview", post(parse));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:18082").await?;
    let context = runtime::Context::system();
    let options = runtime::http::Options::default();
    let surfaces = dialects::spoken();
    runtime::http::serve::spawn(listener, router, surfaces, options, &context);
    Ok(context.lifecycle.run_to_end().await?)
}
