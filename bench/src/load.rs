//! Many beacons at once, then every report against the seeds' SQL.

use crate::{sender, target::Target};
use futures::{StreamExt, stream};
use kit::oracle;
use runtime::{Clock, SystemClock};
use serde_json::json;
use sqlx::PgPool;
use std::{
    error::Error,
    time::{Duration, Instant},
};

/// `footfall-bench load`
#[derive(Debug, clap::Args)]
pub struct Load {
    /// Data directory of the running program
    #[arg(long, default_value = "data")]
    data_dir: String,
    /// Visits
    #[arg(long, default_value_t = 2_000)]
    sessions: u32,
    /// Beacons of each visit, its session included
    #[arg(long, default_value_t = 10)]
    beacons: u32,
    /// Visits that are sent at the same time
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Another number sends other visits; the same one sends the same visits again
    #[arg(long, default_value_t = 1)]
    run: u32,
}

impl Load {
    /// Sends, waits until the tables have everything, compares.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let http = reqwest::Client::new();
        let target = Target::find(&self.data_dir, &http).await?;
        let begun = Instant::now();
        let visits = stream::iter(0..self.sessions)
            .map(|number| sender::visit(&http, &target, self.run, number, self.beacons))
            .buffer_unordered(self.concurrency)
            .collect::<Vec<_>>()
            .await;
        let mut retries = 0;
        for visit in visits {
            retries += visit.map_err(|error| error.to_string())?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let sent = self.sessions * self.beacons;
        println!(
            "{sent} beacons acknowledged in {seconds:.1} s ({:.0}/s), {retries} sent again",
            f64::from(sent) / seconds
        );

        let run = target
            .running()
            .ok_or("the program is not running any more")?;
        let analytics = PgPool::connect(&run.analytics_database_url).await?;
        let main = PgPool::connect(&run.database_url).await?;
        let steps: Vec<u32> = (1..self.beacons).filter(|step| step % 5 != 4).collect();
        let expected = i64::from(self.sessions) * i64::try_from(steps.len())?;
        let waited = Instant::now();
        loop {
            let views: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM events
                JOIN sessions USING (workspace_no, session_id)
                WHERE kind = 4 AND events.page_id = $1",
            )
            .bind(target.page)
            .fetch_one(&analytics)
            .await?;
            if views >= expected {
                println!(
                    "{views} views in the tables {:.2} s after the last acknowledgement",
                    waited.elapsed().as_secs_f64()
                );
                break;
            }
            if waited.elapsed() > Duration::from_mins(1) {
                return Err(format!("only {views} of at least {expected} views arrived").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // A failed run of this program leaves visits without an end; the same `--run` completes them.
        for days in [1, 7, 30, 365] {
            for (path, expected) in
                oracle::reports(&analytics, &main, target.page, SystemClock.now(), days).await
            {
                let answer = target.report(&http, &path).await?;
                if answer != expected {
                    return Err(
                        format!("{path} answers {answer}, the seeds' SQL {expected}").into(),
                    );
                }
            }
        }
        let overview = target.report(&http, "overview").await?;
        println!("every report equals the seeds' SQL; overview: {overview}");
        if self.run == 1 && overview["totalViews"] != json!(expected) {
            println!("(the page has views of other runs as well: {expected} are of this one)");
        }
        Ok(())
    }
}
