//! Compares redirects of short links in ingest, clicks included, with a bare axum redirect.
//!
//! Both are separate processes under the same load. CPU time and memory are as the kernel counts
//! them; times are those of the client, which shares the machine.

use crate::{
    cost::{self, LOGIN, Process, SECRET},
    half_load,
};
use runtime::{Producer, kafka::KafkaSettings, producer::Record};
use schemas::{
    LinkId, RuleId, WorkspaceNo,
    directory::{Entry, Link, LinkSettings, Rule, Test},
    topics::DIRECTORY,
};
use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
use uuid::Uuid;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";
const INGEST: &str = "127.0.0.1:18081";
const BARE: &str = "127.0.0.1:18082";

/// How long half the load lasts.
const HALF_LOAD: Duration = Duration::from_secs(20);

/// `footfall-bench redirect`
#[derive(Debug, clap::Args)]
pub struct Redirect {
    /// Links in memory
    #[arg(long, default_value_t = 100_000)]
    links: u32,
    /// Rules in memory, each of another link
    #[arg(long, default_value_t = 1_000)]
    rules: u32,
    /// Requests sent to each
    #[arg(long, default_value_t = 60_000)]
    requests: u32,
    /// Requests in flight
    #[arg(long, default_value_t = 64)]
    concurrency: u32,
    /// The ingest binary
    #[arg(long, default_value = "target/release/ingest")]
    ingest: PathBuf,
    /// Rounds; the two take turns
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

/// The result of one run.
struct Run {
    per_cpu_second: f64,
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Redirect {
    /// Measures both in turns and prints the ratio and the memory of a link.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        cost::require(&self.ingest)?;
        let folder = std::env::temp_dir().join(format!("footfall-bench-{}", std::process::id()));
        let broker = cost::start(&folder).await?;
        let kafka = KafkaSettings::with_login(broker.bootstrap_servers(), LOGIN, SECRET);
        cost::prepare(&kafka).await?;
        let variables = kafka.variables();
        let mut environment = cost::environment(&variables);
        environment.push(("PUBLIC_URL", "http://127.0.0.1:18081"));

        let ingest = || Process::start(Command::new(&self.ingest), INGEST, &environment);
        let empty = ingest().await?.memory_bytes()?;
        self.write_links(&kafka).await?;
        let begun = Instant::now();
        let full = ingest().await?.memory_bytes()?;
        println!(
            "{} links with {} rules: ready after {:.1} s, {:.0} bytes of memory for each link",
            self.links,
            self.rules,
            begun.elapsed().as_secs_f64(),
            (full - empty) / f64::from(self.links)
        );
        let (mut ratios, mut rates) = (Vec::new(), Vec::new());
        for round in 1..=self.rounds {
            // In turns, so that other load on the machine affects both.
            let ours = self.measure(&ingest().await?).await?;
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("bare");
            let bare = self
                .measure(&Process::start(command, BARE, &[]).await?)
                .await?;
            for (name, run) in [("footfall", &ours), ("bare axum", &bare)] {
                println!(
                    "round {round}, {name}: {:.0} redirects per CPU-second, {:.0} a second, p50 {:.2} ms, p99 {:.2} ms",
                    run.per_cpu_second,
                    run.per_second,
                    run.p50.as_secs_f64() * 1e3,
                    run.p99.as_secs_f64() * 1e3
                );
            }
            rates.push(ours.per_second);
            ratios.push((
                ours.per_cpu_second / bare.per_cpu_second,
                ours.per_second / bare.per_second,
            ));
        }
        ratios.sort_by(|one, other| one.1.total_cmp(&other.1));
        let (by_cpu, by_time) = ratios[ratios.len() / 2];
        println!("median ratio: {by_time:.2} a second, {by_cpu:.2} per CPU-second");
        let half = rates.iter().sum::<f64>() / f64::from(self.rounds) / 2.0;
        self.measure_half_load(&ingest().await?, half).await?;
        broker.stop().await;
        let _ = fs::remove_dir_all(folder);
        Ok(())
    }

    /// Prints how long redirects take at the server at this rate.
    async fn measure_half_load(&self, process: &Process, rate: f64) -> Result<(), Box<dyn Error>> {
        let url = |number: u32| {
            let link = number.wrapping_mul(7_919) % self.links + 1;
            format!("http://{}/code{link}", process.address)
        };
        let shares = half_load::measure(process, &client()?, rate, HALF_LOAD, url).await?;
        println!("at half of that load, {rate:.0} a second, times at the server:");
        for (bound, share) in shares {
            println!("  up to {:.3} ms: {:.3} %", bound * 1e3, share * 100.0);
        }
        Ok(())
    }

    async fn write_links(&self, kafka: &KafkaSettings) -> Result<(), Box<dyn Error>> {
        let producer = Producer::new(kafka)?;
        let entries: Vec<(String, Vec<u8>)> = (1..=self.links)
            .map(|number| {
                let entry = Entry::Link(Box::new(Link {
                    link_id: LinkId(Uuid::from_u128(number.into())),
                    workspace_no: WorkspaceNo(1),
                    destination: format!("https://shop.example/products/{number}?from=go"),
                    short_code: format!("Code{number}"),
                    host: None,
                    settings: self.settings(number),
                    deleted: false,
                    row_version: 1,
                }));
                Ok((entry.key(), serde_json::to_vec(&entry)?))
            })
            .collect::<Result<_, serde_json::Error>>()?;
        for entries in entries.chunks(1_000) {
            let records: Vec<Record<'_>> = entries
                .iter()
                .map(|(key, payload)| Record {
                    topic: DIRECTORY,
                    key,
                    payload,
                    headers: &[],
                })
                .collect();
            for outcome in producer.send(&records).await {
                outcome?;
            }
        }
        Ok(())
    }

    /// The settings of a link: every so many have a rule that looks at the request and fails.
    fn settings(&self, number: u32) -> LinkSettings {
        let each = self.links / self.rules.max(1);
        if self.rules == 0 || !number.is_multiple_of(each.max(1)) {
            return LinkSettings::default();
        }
        let is = |field: &str, operator: &str, value: Value| Test::Is {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value,
        };
        let test = match number / each.max(1) % 4 {
            0 => is("country", "in", json!(["DE", "AT", "CH"])),
            1 => Test::Any(vec![
                is("os", "equals", json!("iOS")),
                is("os", "equals", json!("Android")),
            ]),
            2 => is("language", "equals", json!("tr")),
            _ => is("referrer", "matches", json!("instagram\\.com/(p|reel)/")),
        };
        LinkSettings {
            rules: vec![Rule {
                rule_id: RuleId(Uuid::from_u128(number.into())),
                name: "a rule that does not match".to_owned(),
                test,
                destination: "https://shop.example/other".to_owned(),
                forward: None,
                redirect_delay_ms: None,
                deep_links: Vec::new(),
            }],
            ..LinkSettings::default()
        }
    }

    async fn measure(&self, process: &Process) -> Result<Run, Box<dyn Error>> {
        let http = client()?;
        let each = self.requests / self.concurrency;
        let (before, begun) = (process.cpu_seconds()?, Instant::now());
        let tasks: Vec<_> = (0..self.concurrency)
            .map(|task| {
                let (http, links) = (http.clone(), self.links);
                let base = format!("http://{}/code", process.address);
                tokio::spawn(async move {
                    let mut times = Vec::new();
                    for number in 0..each {
                        // Spread over all links, so that caches of the CPU do not help.
                        let link = (task * each + number).wrapping_mul(7_919) % links + 1;
                        let sent = Instant::now();
                        let answer = http.get(format!("{base}{link}")).send().await;
                        if answer.is_ok_and(|answer| answer.status().as_u16() == 302) {
                            times.push(sent.elapsed());
                        }
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await?);
        }
        let elapsed = begun.elapsed().as_secs_f64();
        let used = process.cpu_seconds()? - before;
        let wanted = each * self.concurrency;
        let answered = u32::try_from(times.len())?;
        if answered < wanted {
            return Err(format!("only {answered} of {wanted} requests were redirected").into());
        }
        times.sort_unstable();
        Ok(Run {
            per_cpu_second: f64::from(answered) / used,
            per_second: f64::from(answered) / elapsed,
            p50: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
        })
    }
}

/// A browser that stays where it is.
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(BROWSER)
        .build()
}
