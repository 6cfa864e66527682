//! What an import stands on: the log, its directory, its secrets, and the tables that follow it.
//!
//! The same whether the log is a cluster's or embedded, and whoever started it.

use super::{
    accept::Intake,
    progress::{Doing, Progress},
    publish::{Published, Publisher, Watch},
    summary::Summary,
    tables::{Standing, Tables},
};
use ingest::{
    accept::Rules,
    directory::{Directory, feed::Feed, fingerprints},
    geo_file::GeoFile,
    history::Taken,
};
use projector::Store;
use runtime::{
    Context, Lifecycle, Producer, Settings,
    database::{self, PoolSettings},
    kafka::KafkaSettings,
    program::Failure,
    secrets::Secrets,
    topics,
};
use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

/// How long the log may take to tell its directory.
const DIRECTORY_TIMEOUT: Duration = Duration::from_secs(30);
/// Batches between the thread that makes them and the log.
const BATCHES_AHEAD: usize = 4;
/// Connections to the analytics database: one looks how far it is.
const POOL_SIZE: u32 = 1;

/// A log that can be imported into, and how far its tables are.
pub struct Ground {
    intake: Arc<Intake>,
    store: Store,
    producer: Producer,
    tables: Tables,
    _feed: Abandon,
}

/// Ends what runs beside an import when that is over.
struct Abandon(Lifecycle);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Ground {
    /// Reads the directory of the log, and checks that the secrets are those it was made with.
    ///
    /// # Errors
    /// When a setting cannot be used, the log does not answer, or the secrets are others.
    pub async fn prepare(
        settings: &mut Settings,
        kafka: KafkaSettings,
        analytics_url: &str,
        context: &Context,
    ) -> Result<Self, Failure> {
        let secrets = Secrets::read(settings);
        let geoip = GeoFile::read(settings);
        settings.finish()?;
        // Without a problem noted they are there.
        let secrets = secrets.ok_or_else(|| Failure::other("the secrets are incomplete"))?;
        // History has no custom events, which these rules are about.
        let rules = Rules {
            tracking_enabled: true,
            max_event_data_bytes: 0,
        };
        let acceptor = ingest::acceptor(&secrets, geoip.as_ref(), rules)?;
        let log = topics::ready(&kafka).await.map_err(Failure::other)?;
        let settling = Producer::new(&kafka).map_err(Failure::other)?;
        let producer = Producer::patient(&kafka).map_err(Failure::other)?;
        let analytics = database::pool(
            analytics_url,
            &PoolSettings::new("footfall-import", POOL_SIZE),
        )
        .map_err(|error| Failure::Other(format!("the analytics database: {error}")))?;
        let store = Store::new(analytics);
        let tables = Tables::new(store.clone(), &kafka, log.events_partitions);
        let tables = tables.map_err(Failure::other)?;

        let directory = Arc::new(Directory::default());
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
            _ => return Err(Failure::other("the log does not tell its directory")),
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
            }),
            store,
            producer,
            tables,
            _feed: feed,
        })
    }

    /// True when the tables have the last event of a visit: events of one workspace are folded in the
    /// order in which they were imported, so they have everything before it as well.
    ///
    /// # Errors
    /// When the line is bad, or the database refuses or is away.
    pub(crate) async fn has(&self, line: &str) -> Result<bool, Failure> {
        let (intake, line) = (Arc::clone(&self.intake), line.to_owned());
        let taking =
            tokio::task::spawn_blocking(move || intake.take(line.as_bytes(), Instant::now()));
        let taken = taking.await.map_err(Failure::other)?;
        let Taken::Visit(events) = taken.map_err(Failure::other)? else {
            return Ok(false);
        };
        let Some(last) = events.last() else {
            return Ok(false);
        };
        let known = self.store.knows(last.workspace_no, last.event_id).await;
        known.map_err(|error| Failure::Other(format!("the analytics database: {error}")))
    }

    /// Imports every line of an input. With `wait`, returns when the tables have it.
    ///
    /// # Errors
    /// When the input cannot be read, or the log takes nothing for a minute.
    pub async fn import(
        &self,
        input: impl Read + Send + 'static,
        wait: bool,
        progress: &mut Progress,
    ) -> Result<Summary, Failure> {
        let begun = Instant::now();
        let acknowledged = Arc::new(AtomicU64::new(0));
        let (standing, mut standings) = watch::channel(None);
        let follow = self.tables.clone();
        // Ends by itself when nobody listens any more.
        tokio::spawn(follow.follow(Arc::clone(&acknowledged), standing));
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let intake = Arc::clone(&self.intake);
        let reading = tokio::task::spawn_blocking(move || intake.run(input, &sender));
        let publishing = Publisher {
            producer: &self.producer,
            standing: standings.clone(),
            acknowledged,
            progress: &mut *progress,
            published: Published::default(),
        };
        let published = match publishing.run(batches).await {
            Ok(published) => published,
            Err(refused) => {
                progress.clear();
                return Err(Failure::other(refused));
            }
        };
        let published_in = begun.elapsed();
        let read = reading.await.map_err(Failure::other)?;
        read.map_err(|error| Failure::Other(format!("the input cannot be read: {error}")))?;
        let mut tables_after = None;
        if wait {
            let begun = Instant::now();
            wait_for_tables(&mut standings, &published, progress).await;
            tables_after = Some(begun.elapsed());
        }
        progress.clear();
        let Published { counts, paused, .. } = published;
        Ok(Summary::new(counts, published_in, paused, tables_after))
    }
}

/// Waits until the tables have everything that was published.
async fn wait_for_tables(
    standings: &mut watch::Receiver<Option<Standing>>,
    published: &Published,
    progress: &mut Progress,
) {
    // Where the log ended when everything of ours was in it.
    let mut ends: Option<BTreeMap<i32, i64>> = None;
    let mut watch = Watch::new();
    loop {
        let standing = standings.borrow_and_update().clone();
        if let Some(found) = &standing {
            if ends.is_none() && found.acknowledged >= published.counts.published() {
                ends = Some(found.ends.clone());
            }
            if ends.as_ref().is_some_and(|ends| found.has(ends)) {
                return;
            }
        }
        let behind = standing.as_ref().map_or(0, |found| found.behind);
        watch.look(standing.as_ref());
        progress.tell(
            &published.counts,
            published.read_bytes,
            &Doing::Waiting(behind),
        );
        // A look that fails tells nothing; the next one may.
        let _ = tokio::time::timeout(Duration::from_secs(1), standings.changed()).await;
    }
}
