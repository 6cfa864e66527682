//! Everything that an import uses: the log, its directory, the secrets, and the tables behind the
//! log.
//!
//! It is the same for a cluster and for an embedded log, regardless of which program started it.

use super::{
    accept::Intake,
    bad_lines::BadLines,
    progress::Progress,
    publish::{Published, Publisher},
    recent::Recent,
    summary::{Summary, Times},
    tables::{Seen, Tables},
    unit::Made,
};
use api::ConversionHistory;
use ingest::{
    accept::Rules,
    directory::{Directory, feed::Feed, fingerprints},
    geo_file::GeoFile,
    network_file::NetworkFile,
    redirect::host,
    secrets::Secrets,
};
use projector::{PLANNER, Store, store::Asked};
use runtime::{
    Context, Lifecycle, Producer, Settings,
    database::{self, PoolSettings},
    kafka::KafkaSettings,
    program::Failure,
    topics,
};
use schemas::topics::EVENTS;
use std::{
    io::Read,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

/// How long reading the directory may take.
const DIRECTORY_TIMEOUT: Duration = Duration::from_secs(30);
/// The host of short links whose clicks name none, without `PUBLIC_URL`.
const DEFAULT_HOST: &str = "127.0.0.1";
/// Batches in the queue between the reading thread and the log.
const BATCHES_AHEAD: usize = 4;
/// Connections to the analytics database: one watches its progress, one looks up known events.
const POOL_SIZE: u32 = 2;
/// Connections to the main database: the publisher of events counts them beside its transaction.
const MAIN_POOL_SIZE: u32 = 2;
/// How long a partition may make no progress while records wait in it. It exceeds the time that a
/// projector takes to replace another one.
const PATIENCE: Duration = Duration::from_mins(2);

/// A log that can be imported into, and its tables.
pub struct Ground {
    intake: Arc<Intake>,
    store: Store,
    /// Absent without a main database.
    conversions: Option<ConversionHistory>,
    producer: Producer,
    tables: Tables,
    patience: Duration,
    /// The imported file, beside which the file of bad lines is created.
    file: Option<PathBuf>,
    _feed: Abandon,
}

/// The databases behind a log.
#[derive(Clone, Copy, Debug)]
pub struct Urls<'a> {
    /// The main database, with a role that may write. Without it, conversions cannot be recorded.
    pub main: Option<&'a str>,
    /// The analytics database.
    pub analytics: &'a str,
}

fn conversions(main: &str, context: &Context) -> Result<ConversionHistory, Failure> {
    let settings = PoolSettings::new("footfall-import", MAIN_POOL_SIZE);
    let pool = database::pool(main, &settings)
        .map_err(|error| Failure::Other(format!("the main database: {error}")))?;
    Ok(ConversionHistory {
        pool,
        clock: Arc::clone(&context.clock),
        ids: Arc::clone(&context.ids),
    })
}

/// Ends the reader of the directory when the import is over.
struct Abandon(Lifecycle);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Ground {
    /// Reads the directory of the log, and checks that the secrets are those that the log was made
    /// with.
    ///
    /// # Errors
    /// When a setting is invalid, the log does not answer, or the secrets differ.
    pub async fn prepare(
        settings: &mut Settings,
        kafka: KafkaSettings,
        urls: Urls<'_>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let secrets = Secrets::read(settings);
        let geoip = GeoFile::read(settings);
        let networks = NetworkFile::read(settings);
        let public = settings.text("PUBLIC_URL");
        let host = public.as_deref().and_then(host::of_url);
        let host = host.unwrap_or_else(|| DEFAULT_HOST.to_owned());
        settings.finish()?;
        // `finish` has failed if a secret is missing.
        let secrets = secrets.ok_or_else(|| Failure::other("the secrets are incomplete"))?;
        // These rules are about custom events, which history does not have.
        let rules = Rules {
            tracking_enabled: true,
            max_event_data_bytes: 0,
        };
        let acceptor = ingest::acceptor(&secrets, (geoip.as_ref(), networks.as_ref()), rules)?;
        let log = topics::ready(&kafka).await.map_err(Failure::other)?;
        let settling = Producer::new(&kafka).map_err(Failure::other)?;
        let producer = Producer::patient(&kafka).map_err(Failure::other)?;
        let settings = PoolSettings {
            parameters: &PLANNER,
            ..PoolSettings::new("footfall-import", POOL_SIZE)
        };
        let analytics = database::pool(urls.analytics, &settings)
            .map_err(|error| Failure::Other(format!("the analytics database: {error}")))?;
        let store = Store::new(analytics);
        let tables = Tables::new(store.clone(), &kafka, log.events_partitions);
        let tables = tables.map_err(Failure::other)?;

        let conversions = match urls.main {
            Some(main) => Some(conversions(main, context)?),
            None => None,
        };
        let directory = Arc::new(Directory::serving(&host));
        let feeding = Lifecycle::default();
        let (complete, mut completed) = watch::channel(false);
        let feed = Feed::new(
            kafka,
            Arc::clone(&directory),
            Arc::clone(&context.clock),
            feeding.clone(),
            complete,
        );
        feeding.spawn_worker("import directory", feed.run());
        let feed = Abandon(feeding);
        let read = completed.wait_for(|complete| *complete);
        match tokio::time::timeout(DIRECTORY_TIMEOUT, read).await {
            Ok(Ok(_)) => {}
            _ => return Err(Failure::other("cannot read the log's directory in time")),
        }
        fingerprints::settle(&directory, &secrets.fingerprints(), false, &settling)
            .await
            .map_err(Failure::other)?;
        Ok(Self {
            intake: Arc::new(Intake {
                acceptor: Arc::new(acceptor),
                directory,
                clock: Arc::clone(&context.clock),
                ids: Arc::clone(&context.ids),
                handle: Handle::current(),
                partitions: tables.partitions(),
            }),
            store,
            conversions,
            producer,
            tables,
            patience: PATIENCE,
            file: None,
            _feed: feed,
        })
    }

    /// Sets how long a partition may make no progress.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the imported file. If there are many bad lines, their file is created beside it.
    #[must_use]
    pub fn of_file(mut self, file: Option<PathBuf>) -> Self {
        self.file = file;
        self
    }

    /// True if the tables have the last event of a visit or a click. Events of one workspace are folded in the
    /// order of their import, so the tables then have all earlier ones as well.
    ///
    /// # Errors
    /// When the line is bad, or the database refuses or does not answer.
    pub(crate) async fn has(&self, line: &str) -> Result<bool, Failure> {
        let (intake, line) = (Arc::clone(&self.intake), line.to_owned());
        let taking =
            tokio::task::spawn_blocking(move || intake.take(line.as_bytes(), Instant::now()));
        let taken = taking.await.map_err(Failure::other)?;
        let taken = taken.map_err(Failure::other)?;
        let unit = match Made::of(taken, self.tables.partitions()) {
            Made::Unit(unit) | Made::Machine(unit, _) => unit,
            Made::Conversion(_) | Made::Refused(_) => return Ok(false),
        };
        let Some(last) = unit.events.last() else {
            return Ok(false);
        };
        let asked = Asked {
            partition: unit.partition,
            workspace_no: unit.workspace_no,
            event_id: last.event_id,
            occurred_at: last.occurred_at,
            received_at: last.received_at,
        };
        let known = self.store.find_in_log(EVENTS, &[asked]).await;
        let known = known.map_err(|error| {
            let error = database::message(&error);
            Failure::Other(format!("the analytics database: {error}"))
        })?;
        Ok(!known.is_empty())
    }

    /// Imports every line of an input. With `wait`, returns when the tables have everything, or
    /// when one of its partitions does not advance. The summary names such partitions.
    ///
    /// # Errors
    /// When the input cannot be read, the log acknowledges nothing for a minute, or the tables do
    /// not answer.
    pub async fn import(
        &self,
        input: impl Read + Send + 'static,
        wait: bool,
        progress: &mut Progress,
    ) -> Result<Summary, Failure> {
        let imported = self.run(input, wait, progress).await;
        progress.clear();
        imported
    }

    async fn run(
        &self,
        input: impl Read + Send + 'static,
        wait: bool,
        progress: &mut Progress,
    ) -> Result<Summary, Failure> {
        let begun = Instant::now();
        let (seeing, seen) = watch::channel(Seen::default());
        // Ends when its receivers are dropped.
        tokio::spawn(self.tables.clone().follow(seeing));
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let intake = Arc::clone(&self.intake);
        let reading = tokio::task::spawn_blocking(move || intake.run(input, &sender));
        let mut publisher = Publisher {
            producer: &self.producer,
            store: &self.store,
            conversions: self.conversions.as_ref(),
            clock: &*self.intake.clock,
            seen,
            patience: self.patience,
            progress,
            bad: BadLines::of(self.file.as_deref(), self.intake.clock.now()),
            published: Published::default(),
            recent: Recent::default(),
            ends_before: None,
        };
        publisher.publish(batches).await.map_err(Failure::other)?;
        let published_in = begun.elapsed();
        let read = reading.await.map_err(Failure::other)?;
        read.map_err(|error| Failure::Other(format!("the input cannot be read: {error}")))?;
        let mut tables_after = None;
        if wait {
            let begun = Instant::now();
            let has_all = publisher.settle().await.map_err(Failure::other)?;
            tables_after = has_all.then(|| begun.elapsed());
        }
        let Publisher { bad, published, .. } = publisher;
        let times = Times {
            published_in,
            paused: published.paused,
            tables_after,
        };
        let stopped = published.stopped.into_values().collect();
        Ok(Summary::new(published.counts, bad.finish(), times, stopped))
    }
}
