//! Finds the log and tables for an import, or starts them and stops them at the end.

use super::{Ground, Urls};
use crate::{
    commands::{
        reach::{find_with_log, lock},
        rebuild,
    },
    data_dir::DataDir,
    databases, embedded_log,
    parts::Parts,
    run_file::RunFile,
    secrets,
    services::{self, Services},
};
use ingest::secrets::{ID, TRACKING, VISITOR};
use runtime::{Context, Settings, kafka::KafkaSettings, lifecycle::signalled, program::Failure};
use tracing::{info, warn};

/// Secrets that history is made with. Those that are not set come from the data directory.
const SECRETS: [&str; 3] = [TRACKING.name, ID.name, VISITOR.name];

/// The URLs of the databases.
struct Owned {
    main: Option<String>,
    analytics: String,
}

impl Owned {
    fn urls(&self) -> Urls<'_> {
        Urls {
            main: self.main.as_deref(),
            analytics: &self.analytics,
        }
    }
}

/// Does the work on the log and tables that the settings name, else on those of the running program
/// of the data directory. Otherwise starts embedded parts for it. Ends early at a signal.
///
/// # Errors
/// Errors of the work and of its preparation.
pub(super) async fn with_ground<T>(
    mut settings: Settings,
    context: &Context,
    work: impl AsyncFnOnce(Ground) -> Result<T, Failure>,
) -> Result<T, Failure> {
    settings.finish()?;
    let Some((kafka, owned)) = elsewhere(&mut settings)? else {
        return on_own_parts(settings, context, work).await;
    };
    let worked = async {
        let ground = Ground::prepare(&mut settings, kafka, owned.urls(), context).await?;
        work(ground).await
    };
    tokio::select! {
        worked = worked => worked,
        () = signalled() => Err(stopped()),
    }
}

fn stopped() -> Failure {
    Failure::other("stopped; start the same import again: nothing counts twice")
}

/// The log and the databases of another program, if there are any. Also completes the
/// secrets in the settings.
fn elsewhere(settings: &mut Settings) -> Result<Option<(KafkaSettings, Owned)>, Failure> {
    let given = settings.text("KAFKA_BROKERS");
    let analytics = databases::given_analytics(settings)?;
    if let (Some(_), Some(analytics)) = (&given, &analytics) {
        // The data directory is optional here: it may keep secrets. Missing ones are reported
        // later.
        if DataDir::find(settings).is_ok_and(|data_dir| data_dir.secrets().exists()) {
            secrets::take_kept(settings, &SECRETS)?;
        }
        let kafka = KafkaSettings::read(settings);
        settings.finish()?;
        let analytics = analytics.clone();
        let main = settings.text("DATABASE_URL");
        return Ok(Some((kafka, Owned { main, analytics })));
    }
    // Without creators every line would be bad, so a log must exist already.
    let data_dir = match &given {
        Some(_) => DataDir::find(settings)?,
        None => find_with_log(settings)?,
    };
    let Some(running) = RunFile::read_running(&data_dir) else {
        return Ok(None);
    };
    if given.is_some_and(|given| given != running.kafka) {
        return Err(Failure::Other(format!(
            "KAFKA_BROKERS names another log than {}, which the running program of {} uses; \
             give DATABASE_URL as well, or another --data-dir",
            running.kafka,
            data_dir.path().display()
        )));
    }
    secrets::take_kept(settings, &SECRETS)?;
    embedded_log::enter_running(settings, &data_dir)?;
    let kafka = KafkaSettings::read(settings);
    settings.finish()?;
    info!(
        "importing into the log of the running program, {}",
        kafka.brokers()
    );
    // Its short links answer there, unless it was started with another PUBLIC_URL.
    settings.set_default("PUBLIC_URL", format!("http://{}", running.listen));
    let analytics = analytics.unwrap_or(running.analytics_database_url);
    let main = match settings.text("DATABASE_URL") {
        Some(given) => given,
        None => databases::writing(&running.database_url, &data_dir.postgres())?,
    };
    let main = Some(main);
    Ok(Some((kafka, Owned { main, analytics })))
}

/// Starts everything that `up` starts except the listener, does the work, and stops it all.
async fn on_own_parts<T>(
    mut settings: Settings,
    context: &Context,
    work: impl AsyncFnOnce(Ground) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let programs = databases::read_programs(&mut settings);
    services::check(&settings, context)?;
    let data_dir = DataDir::find(&settings)?;
    let lock = lock(&data_dir)?;
    // A file that a crash left behind names servers that no longer run.
    RunFile::remove(&data_dir);
    secrets::take_kept(&mut settings, &SECRETS)?;
    secrets::make_unused_token_secret(&mut settings, &*context.ids);
    settings.set_default("PUBLIC_URL", "http://127.0.0.1");
    let parts = tokio::select! {
        started = Parts::start(&mut settings, &data_dir, programs, context) => started?,
        () = signalled() => return Err(stopped()),
    };
    let worked = async {
        let services = Services {
            projector: Some(parts.assignment()),
            accept_new_secrets: false,
        };
        rebuild::bring_over(&settings, context).await?;
        // Without a listener: the directory is published and the log is folded, but no request is
        // answered.
        services.start(settings.clone(), context).await?;
        context.readiness.wait().await;
        let analytics = settings.text("ANALYTICS_DATABASE_URL").unwrap_or_default();
        let kafka = parts.kafka.clone();
        let main = settings.text("DATABASE_URL");
        let owned = Owned { main, analytics };
        let ground = Ground::prepare(&mut settings, kafka, owned.urls(), context).await?;
        work(ground).await
    };
    let worked = tokio::select! {
        worked = worked => Some(worked),
        () = signalled() => Some(Err(stopped())),
        () = context.lifecycle.servers_stopping() => None,
    };
    let finished = context.lifecycle.finish().await.map_err(Failure::other);
    if parts.stop().await.is_err() {
        warn!("the embedded parts could not be stopped cleanly");
    }
    drop(lock);
    match worked {
        Some(Ok(worked)) => finished.map(|()| worked),
        Some(Err(failure)) => Err(failure),
        // A part failed, and the lifecycle knows which.
        None => Err(finished.err().unwrap_or_else(stopped)),
    }
}
