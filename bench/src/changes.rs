//! Measures the time from an answered change of a link to its first redirect to the new destination,
//! on one or more instances of ingest.

use crate::target::{CREATOR, Target};
use reqwest::{Client, header::LOCATION, redirect::Policy};
use serde_json::{Value, json};
use std::{
    error::Error,
    time::{Duration, Instant},
};

/// `footfall-bench changes`
#[derive(Debug, clap::Args)]
pub struct Changes {
    /// Data directory of the running program
    #[arg(long, default_value = "data")]
    data_dir: String,
    /// Base URL of a further instance of ingest on the same log; may be repeated
    #[arg(long)]
    also: Vec<String>,
    /// Changes to time
    #[arg(long, default_value_t = 200)]
    times: u32,
}

impl Changes {
    /// Changes a link and opens it on every instance until all redirect to the new destination.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let http = Client::builder().redirect(Policy::none()).build()?;
        let target = Target::find(&self.data_dir, CREATOR, &http).await?;
        let instances: Vec<String> = [target.base()].into_iter().chain(self.also).collect();
        let links = format!("{}/api/links", target.base());
        let body = json!({"destinationUrl": "https://shop.example/0"});
        let request = http.post(&links).bearer_auth(&target.token).json(&body);
        let link: Value = request.send().await?.error_for_status()?.json().await?;
        let text = |name: &str| link["data"][name].as_str().unwrap_or_default().to_owned();
        let (path, code) = (format!("{links}/{}", text("id")), text("shortCode"));
        let host = target.base().replace("http://", "");

        let mut taken = Vec::new();
        for number in 1..=self.times {
            let destination = format!("https://shop.example/{number}");
            let body = json!({"destinationUrl": destination});
            let request = http.patch(&path).bearer_auth(&target.token).json(&body);
            request.send().await?.error_for_status()?;
            let answered = Instant::now();
            let opened = instances
                .iter()
                .map(|instance| open_until(&http, instance, &host, &code, &destination));
            futures::future::try_join_all(opened).await?;
            taken.push(answered.elapsed());
        }
        let request = http.delete(&path).bearer_auth(&target.token);
        request.send().await?.error_for_status()?;

        taken.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let last = taken.len().checked_sub(1).ok_or("no changes")?;
        println!(
            "{} changes on {} instances: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            self.times,
            instances.len(),
            ms(taken[last / 2]),
            ms(taken[last * 99 / 100]),
            ms(taken[last])
        );
        Ok(())
    }
}

/// Opens a link, as a check that is not counted, until it leads to the destination.
async fn open_until(
    http: &Client,
    instance: &str,
    host: &str,
    code: &str,
    destination: &str,
) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    loop {
        let request = http.head(format!("{instance}/{code}"));
        let answer = request.header("host", host).send().await?;
        let location = answer.headers().get(LOCATION);
        if location.is_some_and(|location| location.as_bytes() == destination.as_bytes()) {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(30) {
            return Err(
                format!("{instance} did not redirect to the new destination within 30 s").into(),
            );
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
