//! Sends many beacons at once, then compares every report with plain SQL.

use crate::{
    sender,
    target::{CREATOR, Target},
};
use futures::{StreamExt, stream};
use kit::oracle;
use runtime::{Clock, SystemClock};
use schemas::{EventId, Kind, WorkspaceId};
use serde_json::json;
use sqlx::PgPool;
use std::{
    error::Error,
    time::{Duration, Instant},
};
use uuid::Uuid;

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
    /// Seed: the same number sends the same visits again
    #[arg(long, default_value_t = 1)]
    run: u32,
}

impl Load {
    /// Sends the beacons, waits until the tables have everything, and compares.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let http = reqwest::Client::new();
        let target = Target::find(&self.data_dir, CREATOR, &http).await?;
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

        let run = target.running().await?;
        let analytics = PgPool::connect(&run.analytics_database_url).await?;
        let main = PgPool::connect(&run.database_url).await?;
        let views = self.views(target.workspace);
        wait_for(&analytics, &main, &target, &views).await?;
        // A failed run leaves visits without an end; a run with the same `--run` completes them.
        for days in [1, 7, 30, 365] {
            for (path, expected) in
                oracle::reports(&analytics, &main, target.page, SystemClock.now(), days).await
            {
                let answer = target.report(&http, &path).await?;
                if answer != expected {
                    return Err(
                        format!("{path} answers {answer}; plain SQL gives {expected}").into(),
                    );
                }
            }
        }
        let overview = target.report(&http, "overview").await?;
        println!("every report equals plain SQL; overview: {overview}");
        if overview["totalViews"] != json!(views.len()) {
            let ours = views.len();
            println!("(the page has views of other runs as well: {ours} are of this one)");
        }
        Ok(())
    }

    /// The event ids of this run's views in the log and in the tables.
    fn views(&self, workspace: WorkspaceId) -> Vec<Uuid> {
        let visit = |number| {
            (1..self.beacons)
                .filter(|step| !sender::is_heartbeat(*step))
                .map(move |step| {
                    let given = sender::event_id(self.run, number, step);
                    EventId::derive(workspace, Kind::PageViewed, given).0
                })
        };
        (0..self.sessions).flat_map(visit).collect()
    }
}

/// Waits until the tables have these views, each with its session.
async fn wait_for(
    analytics: &PgPool,
    main: &PgPool,
    target: &Target,
    views: &[Uuid],
) -> Result<(), Box<dyn Error>> {
    let workspace_no: i32 = sqlx::query_scalar("SELECT no FROM workspaces WHERE id = $1")
        .bind(target.workspace.0)
        .fetch_one(main)
        .await?;
    let expected = i64::try_from(views.len())?;
    let waited = Instant::now();
    loop {
        // A view is a hit once its session is there.
        let arrived: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM hits
            WHERE workspace_no = $1 AND event_id = ANY ($2) AND page_id = $3",
        )
        .bind(workspace_no)
        .bind(views)
        .bind(target.page)
        .fetch_one(analytics)
        .await?;
        if arrived == expected {
            let seconds = waited.elapsed().as_secs_f64();
            println!("{arrived} views in the tables {seconds:.2} s after the last acknowledgement");
            return Ok(());
        }
        if waited.elapsed() > Duration::from_mins(1) {
            return Err(format!("only {arrived} of {expected} views arrived").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
