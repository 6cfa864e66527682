//! Rebuilds the tables: folds the log from its beginning into fresh tables and swaps them in.
//!
//! The fresh tables are in a schema of their own. One transaction replaces the tables in use by
//! them. So a program that is killed leaves the former tables or the new ones, and the next call
//! continues where it stopped. The one rule: no projector folds meanwhile, because it would write
//! to tables that are dropped.

mod swap;

pub(crate) use swap::statements;

use crate::{
    Config, MIGRATIONS, Store,
    consumer::{self, Assignment, Parts, WRITERS},
    identity::ends,
    program,
};
use rdkafka::error::KafkaError;
use runtime::{
    Context, Lifecycle, Producer, Readiness,
    database::{self, DatabaseError, PoolSettings},
    topics::{self, TopicError},
};
use schemas::topics::EVENTS;
use serde::Serialize;
use sqlx::PgPool;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use thiserror::Error;

/// The schema of the fresh tables. `deploy/postgres/sql/rights.sql` creates it for a projector that
/// may not create schemas.
pub const SCHEMA: &str = "footfall_rebuild";

/// Server settings of the folding connections: those of the projector, plus the schema of the fresh
/// tables.
const PARAMETERS: [(&str, &str); 6] = {
    let [seqscan, hashjoin, mergejoin, plans, commit] = program::PARAMETERS;
    [
        seqscan,
        hashjoin,
        mergejoin,
        plans,
        commit,
        ("search_path", SCHEMA),
    ]
};

/// Time between two checks of the progress.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The rebuild fails after this long without progress.
const PATIENCE: Duration = Duration::from_mins(2);

/// Why the tables were not rebuilt. They are unchanged.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// The log cannot be read.
    #[error("the log: {0}")]
    Kafka(#[from] KafkaError),
    /// The topics are missing or wrong.
    #[error("{0}")]
    Topics(#[from] TopicError),
    /// The database refused or did not answer.
    #[error("the analytics database: {}", database::message(.0))]
    Database(#[from] sqlx::Error),
    /// The fresh tables cannot be created.
    #[error("the analytics database: {0}")]
    Migration(#[from] DatabaseError),
    /// A projector is running, and would write to tables that are dropped.
    #[error(
        "a projector is connected to the analytics database; stop it (or `footfall up`) and start the rebuild again"
    )]
    ProjectorRuns,
    /// The role may not create the schema.
    #[error(
        "the schema {SCHEMA} is missing and this role may not create it; run deploy/postgres/10-footfall.sh on the server, or as its administrator: CREATE SCHEMA {SCHEMA} AUTHORIZATION <role of the projector>"
    )]
    NoSchema,
    /// The fold makes no progress.
    #[error("the fold has made no progress for two minutes: {0}")]
    Stuck(String),
    /// The tables have events that the log has lost.
    #[error(
        "the tables have {0} events that are not in the log; nothing was changed. Restore them with `footfall import` from the output of `footfall replay`, or accept their loss with --accept-loss"
    )]
    Loss(i64),
    /// The folding stopped with an error.
    #[error("{0}")]
    Stopped(String),
}

/// The result of a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Records of the log that were folded, or skipped as repeated or unreadable.
    pub records: i64,
    /// Distinct events in the new tables.
    pub events: i64,
    /// Events of the former tables that the log does not have.
    pub lost: i64,
}

/// The progress of a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folded {
    /// Records folded.
    pub folded: i64,
    /// Records of the log when the rebuild began.
    pub records: i64,
}

/// True when the tables are those of an earlier version, which this one cannot read.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn is_needed(analytics_database_url: &str) -> Result<bool, RebuildError> {
    let pool = database::pool(
        analytics_database_url,
        &PoolSettings::new("footfall-rebuild", 1),
    )?;
    Ok(swap::has_former_tables(&pool).await?)
}

/// Rebuilds the tables. `show` receives the progress.
///
/// # Errors
/// [`RebuildError`]. The tables are then unchanged, and the next call continues.
pub async fn run(
    config: &Config,
    accept_loss: bool,
    context: &Context,
    mut show: impl FnMut(Folded),
) -> Result<Rebuilt, RebuildError> {
    let url = &config.analytics_database_url;
    // Counting lost events and the swap read whole tables, so these statements have no timeout.
    let unlimited = PoolSettings {
        statement_timeout: Duration::ZERO,
        ..PoolSettings::new("footfall-rebuild", 2)
    };
    let tables = database::pool(url, &unlimited)?;
    swap::refuse_projectors(&mut *tables.acquire().await?).await?;
    swap::provide_schema(&tables).await?;
    let fresh = PoolSettings {
        lock_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_mins(1),
        parameters: &PARAMETERS,
        ..PoolSettings::new("footfall-rebuild", WRITERS + 4)
    };
    let fresh = database::pool(url, &fresh)?;
    let (readiness, lifecycle) = (Readiness::default(), Lifecycle::default());
    database::migrate(&fresh, &MIGRATIONS, "fresh tables", &readiness, &lifecycle).await?;
    // Before the fold starts: its claims must find the generations of the tables in use.
    swap::take_over_generations(&tables).await?;

    let partitions = topics::ready(&config.kafka).await?.events_partitions;
    let ends = ends(&config.kafka, partitions).await?;
    let folding = Folding::start(config, partitions, fresh, context)?;
    let folded = folding.follow(&ends, &mut show).await;
    // Stopped before the result is checked: the thread must not outlive a failed rebuild.
    folding.stop().await?;
    let records = folded?;
    let lost = swap::count_lost(&tables).await?;
    if lost > 0 && !accept_loss {
        return Err(RebuildError::Loss(lost));
    }
    let events = swap::swap(&tables).await?;
    Ok(Rebuilt {
        records,
        events,
        lost,
    })
}

/// The projector's own consumer, working on the fresh tables.
struct Folding {
    store: Store,
    context: Context,
    thread: tokio::task::JoinHandle<Result<(), consumer::ConsumerError>>,
}

impl Folding {
    fn start(
        config: &Config,
        partitions: i32,
        fresh: PgPool,
        context: &Context,
    ) -> Result<Self, RebuildError> {
        let store = Store::new(fresh);
        let parts = Parts {
            kafka: config.kafka.clone(),
            store: store.clone(),
            producer: Arc::new(
                Producer::new(&config.kafka)
                    .map_err(|error| RebuildError::Stopped(error.to_string()))?,
            ),
            assignment: Assignment::All { partitions },
        };
        // Ends with the rebuild, not with the program.
        let context = Context {
            lifecycle: Lifecycle::default(),
            readiness: Readiness::default(),
            ..context.clone()
        };
        let (inside, handle) = (context.clone(), tokio::runtime::Handle::current());
        let thread = tokio::task::spawn_blocking(move || consumer::run(parts, &inside, &handle));
        Ok(Self {
            store,
            context,
            thread,
        })
    }

    /// Waits until every partition is folded to its end. Returns the number of records.
    async fn follow(
        &self,
        ends: &[(i32, i64)],
        show: &mut impl FnMut(Folded),
    ) -> Result<i64, RebuildError> {
        let records = ends.iter().map(|(_, end)| end).sum();
        let (mut furthest, mut since) = (-1, Instant::now());
        loop {
            let next = self.store.progress(EVENTS).await?;
            let folded = |partition: i32| {
                let known = next.iter().find(|(number, _)| *number == partition);
                known.map_or(0, |(_, next)| *next)
            };
            let folded: i64 = ends
                .iter()
                // Records appended since the start are folded too, but do not count as progress.
                .map(|(partition, end)| folded(*partition).min(*end))
                .sum();
            show(Folded { folded, records });
            if folded == records {
                return Ok(records);
            }
            if folded > furthest {
                (furthest, since) = (folded, Instant::now());
            // A finished thread makes no more progress, and `stop` reports its error.
            } else if self.thread.is_finished() || since.elapsed() > PATIENCE {
                let texts = self.context.readiness.texts();
                let text = texts.get("projector").cloned().unwrap_or_default();
                return Err(RebuildError::Stuck(text));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn stop(self) -> Result<(), RebuildError> {
        let finished = self.context.lifecycle.finish().await;
        let ended = self.thread.await;
        let stopped = |error: &dyn std::fmt::Display| RebuildError::Stopped(error.to_string());
        finished.map_err(|error| stopped(&error))?;
        ended
            .map_err(|error| stopped(&error))?
            .map_err(|error| stopped(&error))
    }
}
