//! Measures the time from an acknowledged beacon to its count in a report, one beacon at a time.

use crate::{
    sender,
    target::{CREATOR, Target},
};
use serde_json::json;
use std::{
    error::Error,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// `footfall-bench latency`
#[derive(Debug, clap::Args)]
pub struct Latency {
    /// Data directory of the running program
    #[arg(long, default_value = "data")]
    data_dir: String,
    /// Creator whose page gets the beacons; during an import, one without imported visits
    #[arg(long, default_value = CREATOR)]
    creator: String,
    /// Beacons to time
    #[arg(long, default_value_t = 500)]
    beacons: u32,
}

impl Latency {
    /// Sends a view and requests the overview until it counts, repeatedly.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let http = reqwest::Client::new();
        let target = Target::find(&self.data_dir, &self.creator, &http).await?;
        let mut retries = 0;
        let body = json!({
            "visitorId": "latency", "consentAnalytics": "granted", "bioPageId": target.page,
        });
        let session = sender::send(&http, &target, "session", body, &mut retries)
            .await
            .map_err(|e| e.to_string())?;
        let session: Uuid = session["data"]["id"].as_str().unwrap_or_default().parse()?;
        let mut views = target.report(&http, "overview").await?["totalViews"]
            .as_i64()
            .unwrap_or(0);
        let mut acknowledged = Vec::new();
        let mut counted = Vec::new();
        for _ in 0..self.beacons {
            let sent = Instant::now();
            let body = json!({"sessionId": session});
            sender::send(&http, &target, "pageview", body, &mut retries)
                .await
                .map_err(|e| e.to_string())?;
            acknowledged.push(sent.elapsed());
            let answered = Instant::now();
            views += 1;
            while target.report(&http, "overview").await?["totalViews"]
                .as_i64()
                .unwrap_or(0)
                < views
            {
                if answered.elapsed() > Duration::from_secs(30) {
                    return Err("a view did not arrive within 30 s".into());
                }
            }
            counted.push(answered.elapsed());
        }
        print("sent to acknowledged", &mut acknowledged);
        print("acknowledged to counted in a report", &mut counted);
        Ok(())
    }
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| {
        times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
    };
    let ms = |percent| at(percent).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    println!(
        "{what}: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        ms(50),
        ms(95),
        ms(99),
        ms(100)
    );
}
