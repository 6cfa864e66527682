//! The three services in one process: their settings checked, their routes merged, started in the order that they need.
//!
//! The rule to keep: the same `start` and `router` as the three binaries have, and no code path of its own.

use crate::{openapi, secrets};
use axum::Router;
use projector::consumer::Assignment;
use runtime::{
    Context, Settings, database,
    http::{Options, listen},
    kafka::KafkaSettings,
    metrics,
    program::Failure,
    service::{
        docs, health,
        home::{self, Home},
    },
    settings::Setting,
    throttle::{self, Limit, Scope},
};
use std::sync::Arc;

/// Where the one listener listens.
pub(crate) const LISTEN: Setting = Setting::new(
    "FOOTFALL_LISTEN",
    "127.0.0.1:8080",
    "address of the one listener",
);
pub(crate) const PROJECTOR_DATABASE: Setting = Setting::new(
    "PROJECTOR_DATABASE_URL",
    "ANALYTICS_DATABASE_URL",
    "analytics database under the projector's own role, when ANALYTICS_DATABASE_URL has a role that only reads",
)
.secret();

const HOME: Home = Home {
    program: "Footfall",
    about: "Analytics for bio pages and short links: who came, from where, and what they clicked.",
    has_docs: true,
};

/// Finds what is wrong with the settings while nothing has been started yet.
pub(crate) fn check(settings: &Settings, context: &Context) -> Result<(), Failure> {
    let mut trial = settings.clone();
    for (name, value) in [
        ("KAFKA_BROKERS", "127.0.0.1:9"),
        ("DATABASE_URL", "postgres://127.0.0.1:9/footfall"),
        (
            "ANALYTICS_DATABASE_URL",
            "postgres://127.0.0.1:9/footfall_analytics",
        ),
        ("PUBLIC_URL", "http://127.0.0.1:8080"),
    ] {
        trial.set_default(name, value);
    }
    for name in secrets::needed(settings) {
        trial.set_default(name, "made-at-the-first-start-if-not-given");
    }
    listen::read(&mut trial, &LISTEN);
    let _ = ingest::Config::read(&mut trial, context);
    let _ = read_projector(&mut trial);
    let _ = api::Config::read(&mut trial, context);
    let _ = Options::read(&mut trial);
    check_families(&mut trial);
    Ok(trial.finish()?)
}

/// Notes the problems of settings whose names are made of a first part that is ours and of another one. The first look at
/// the environment takes all of them for settings.
pub(crate) fn check_families(settings: &mut Settings) {
    throttle::check_names(settings, &limits(), Scope::All);
    KafkaSettings::check_given(settings);
}

/// Every limit of the services.
pub(crate) fn limits() -> Vec<Limit> {
    let mut limits = ingest::limits::PUBLISHED.to_vec();
    // A limit that several services have is one setting.
    let others = api::published_limits();
    limits.extend(others.into_iter().filter(|other| {
        let known = |limit: &Limit| limit.route == other.route;
        !ingest::limits::PUBLISHED.iter().any(known)
    }));
    limits
}

/// The settings of the projector, which writes to the analytics database that the api only reads, and may have a role of
/// its own for that.
pub(crate) fn read_projector(settings: &mut Settings) -> projector::Config {
    let mut config = projector::Config::read(settings);
    if settings.text(PROJECTOR_DATABASE).is_some() {
        config.analytics_database_url = database::read_url(settings, &PROJECTOR_DATABASE);
    }
    config
}

/// The three services, put together.
#[derive(Clone, Copy, Debug)]
pub struct Services {
    /// Which partitions the projector takes; `None` leaves it out.
    pub projector: Option<Assignment>,
    /// Whether secrets may differ from those the log was made with.
    pub accept_new_secrets: bool,
}

/// What started services offer.
pub struct Started {
    /// Every route, health routes included.
    pub router: Router,
    /// What became of this process's beacons.
    pub outcomes: Arc<ingest::Outcomes>,
}

impl Services {
    /// Starts them on a log and databases that the settings name.
    ///
    /// # Errors
    /// When a setting cannot be used; what is merely away is waited for.
    pub async fn start(
        self,
        mut settings: Settings,
        context: &Context,
    ) -> Result<Started, Failure> {
        let settings = &mut settings;
        let ingest = ingest::Config::read(settings, context);
        let api = api::Config::read(settings, context);
        let projector = read_projector(settings);
        settings.finish()?;
        // Reading notes a problem whenever it gives nothing.
        let ingest = ingest
            .ok_or_else(|| Failure::Other("the settings of ingest are incomplete".to_owned()))?;
        let ingest = ingest::Config {
            accept_new_secrets: self.accept_new_secrets,
            ..ingest
        };
        if let Some(assignment) = self.projector {
            projector::start(
                projector::Config {
                    assignment,
                    ..projector
                },
                context,
            )?;
        }
        let ingest = ingest::start(ingest, context)?;
        let public_url = api.public_url.clone();
        let api = api::start(api, context).await?;
        let health = health::router(context.readiness.clone(), metrics::install());
        metrics::zero_routes(&openapi::document());
        let docs = docs::router(openapi::document, public_url);
        let router = Router::new()
            .merge(ingest.router)
            .merge(api)
            .merge(health)
            .merge(home::router(HOME))
            .merge(docs);
        Ok(Started {
            router,
            outcomes: ingest.outcomes,
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn reports_wait_for_the_newest_tables() {
        let versions = projector::MIGRATIONS
            .iter()
            .map(|migration| migration.version);
        assert_eq!(Some(api::ANALYTICS_SCHEMA), versions.max());
    }
}
