//! Redirects at a steady rate, with the times that the server measured itself.

use crate::cost::Process;
use std::{error::Error, time::Duration};
use tokio::time::MissedTickBehavior;

/// The histogram of ingest.
const METRIC: &str = "ingest_redirect_seconds_bucket";
/// Requests that start at the same tick.
const TICK: Duration = Duration::from_millis(10);

/// Sends this many redirects a second for a while. Returns each upper bound of the server's
/// histogram, in seconds, with the share of the answers up to it.
pub async fn measure(
    process: &Process,
    http: &reqwest::Client,
    rate: f64,
    lasting: Duration,
    link: impl Fn(u32) -> String,
) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    let before = buckets(process).await?;
    let each = rate * TICK.as_secs_f64();
    let ticks = lasting.as_millis() / TICK.as_millis();
    let mut ticking = tokio::time::interval(TICK);
    ticking.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut due, mut sent, mut tasks) = (0.0, 0, tokio::task::JoinSet::new());
    for _ in 0..ticks {
        ticking.tick().await;
        due += each;
        while f64::from(sent) < due {
            sent += 1;
            tasks.spawn(http.get(link(sent)).send());
        }
        while tasks.try_join_next().is_some() {}
    }
    tasks.join_all().await;
    let after = buckets(process).await?;
    let counts: Vec<(f64, f64)> = after
        .iter()
        .zip(before)
        .map(|((bound, after), (_, before))| (*bound, after - before))
        .collect();
    let all = counts.last().map_or(0.0, |(_, count)| *count);
    if all < f64::from(sent) {
        return Err(format!("only {all} of {sent} requests were answered").into());
    }
    Ok(counts
        .into_iter()
        .map(|(bound, count)| (bound, count / all))
        .collect())
}

/// The upper bounds and cumulative counts of the histogram; the last bound is infinite.
async fn buckets(process: &Process) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    let url = format!("http://{}/metrics", process.address);
    let text = reqwest::get(url).await?.error_for_status()?.text().await?;
    let line = |line: &str| {
        let (bound, count) = line.strip_prefix(METRIC)?.split_once("\"} ")?;
        let (_, bound) = bound.split_once("le=\"")?;
        Some((bound.parse().ok()?, count.trim().parse().ok()?))
    };
    Ok(text.lines().filter_map(line).collect())
}
