//! Runs the three services in one process: checks their settings, starts them in the right order,
//! merges their routes.
//!
//! The rule to keep: call the same `start` and `router` functions as the three binaries, without a
//! separate code path.

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

/// Address of the one listener.
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

/// Reports all problems of the settings before anything starts.
pub(crate) fn check(settings: &Settings, context: &Context) -> Result<(), Failure> {
    // Placeholders for settings that the start itself provides. Without them each would be reported
    // as missing.
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

/// Reports invalid names among settings with a fixed prefix and a variable rest. The first look at
/// the environment accepts every name with such a prefix.
pub(crate) fn check_families(settings: &mut Settings) {
    throttle::check_names(settings, &limits(), Scope::All);
    KafkaSettings::check_given(settings);
}

/// Every limit of the services.
pub(crate) fn limits() -> Vec<Limit> {
    let mut limits = ingest::limits::PUBLISHED.to_vec();
    // A limit that several services share is one setting.
    let others = api::published_limits();
    limits.extend(others.into_iter().filter(|other| {
        let known = |limit: &Limit| limit.route == other.route;
        !ingest::limits::PUBLISHED.iter().any(known)
    }));
    limits
}

/// Reads the projector's settings. The projector may have its own role, because it writes to the
/// analytics database, which the api only reads.
pub(crate) fn read_projector(settings: &mut Settings) -> projector::Config {
    let mut config = projector::Config::read(settings);
    if settings.text(PROJECTOR_DATABASE).is_some() {
        config.analytics_database_url = database::read_url(settings, &PROJECTOR_DATABASE);
    }
    config
}

/// How to start the three services together.
#[derive(Clone, Copy, Debug)]
pub struct Services {
    /// Which partitions the projector takes; `None` starts no projector.
    pub projector: Option<Assignment>,
    /// Whether secrets may differ from those the log was made with.
    pub accept_new_secrets: bool,
}

/// The running services.
pub struct Started {
    /// Every route, health routes included.
    pub router: Router,
    /// Outcomes of the beacons that this process received.
    pub outcomes: Arc<ingest::Outcomes>,
}

impl Services {
    /// Starts the services on the log and databases that the settings name.
    ///
    /// # Errors
    /// When a setting is invalid. The services wait for unavailable servers instead of failing.
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
        // `read` records a problem whenever it returns `None`, so `finish` has failed before this
        // line.
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
        // Around all routes, so that no short code hides one.
        let router = ingest::redirect::around(router, &ingest.redirects);
        Ok(Started {
            router,
            outcomes: ingest.outcomes,
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn api_expects_the_newest_analytics_schema() {
        let versions = projector::MIGRATIONS
            .iter()
            .map(|migration| migration.version);
        assert_eq!(Some(api::ANALYTICS_SCHEMA), versions.max());
    }
}
