//! Runs the api as a service: its parts, its routes, and the binary's `run`.

use crate::{
    app::{App, Database},
    config::{Config, LISTEN},
    conversions::{self, EventPublisher},
    counted_clicks::{self, ClickCounter},
    limits, manage,
    openapi::describe,
    outbox::{PART, Publisher},
    public,
    short_urls::ShortUrls,
    startup::{cancelling_pool, open_analytics, open_main, reading_pool},
    surfaces,
    tracking_check::{self, Shared},
    turns::{OF_COMMANDS, OF_REPORTS, Turns},
    webhooks::{FOLLOWER, Follower, SENDER, Sender, Vault, Webhooks},
};
use axum::{Router, middleware};
use runtime::{
    Context, Producer, Settings,
    database::{self, PoolSettings},
    http::{Options, cors, listen, serve},
    jwt::Gate,
    metrics,
    openapi::Document,
    program::Failure,
    service::{
        self, docs, health,
        home::{self, Home},
    },
    throttle::{self, Scope, Throttles},
};
use schemas::IdMaker;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

const HOME: Home = Home {
    program: "Footfall api",
    about: "The api for creators: bio pages, their links, and reports.",
    has_docs: true,
};

/// Connections to each database; fewer keep two cores of a small server busy.
const POOL_SIZE: u32 = 10;

/// How often throttles forget users whose whole limit is available again.
const FORGET_PAUSE: Duration = Duration::from_mins(1);

/// Starts an api and returns its routes, without those of health. Readiness shows it as `main
/// database`, `analytics database` and `directory publisher`. The routes answer 503 until their
/// database is usable.
///
/// # Errors
/// When a setting cannot be used. An unavailable server is no error: the parts wait for it.
pub async fn start(config: Config, context: &Context) -> Result<Router, Failure> {
    let wrong = |name: &'static str| {
        move |error: &dyn std::fmt::Display| Failure::Other(format!("{name}: {error}"))
    };
    let pool = database::pool(
        &config.database_url,
        &PoolSettings::new("footfall-api", POOL_SIZE),
    )
    .map_err(|error| wrong("DATABASE_URL")(&error))?;
    let main = Database::new("main database", pool);
    // It is missing only if a problem was recorded.
    let tracking = config.tracking;
    let tracking = tracking.ok_or_else(|| wrong("TRACKING_HMAC_SECRET")(&"is missing or wrong"))?;
    let clicks = config.clicks;
    let clicks = clicks.ok_or_else(|| wrong("ID_SECRET")(&"is missing or wrong"))?;
    let webhooks = Webhooks {
        vault: Vault::new(&clicks),
        targets: config.targets,
        waiting: Arc::new(Notify::new()),
    };
    let sender =
        Sender::new(&webhooks, &config.roots, main.clone(), context).map_err(Failure::other)?;
    let url = &config.analytics_database_url;
    let pool = reading_pool(url, POOL_SIZE, config.report_timeout)
        .map_err(|error| wrong("ANALYTICS_DATABASE_URL")(&error))?;
    let analytics = Database::new("analytics database", pool);
    let canceller =
        cancelling_pool(url).map_err(|error| wrong("ANALYTICS_DATABASE_URL")(&error))?;
    let events_waiting = Arc::new(Notify::new());
    let event_publisher = EventPublisher {
        database: main.clone(),
        producer: Producer::new(&config.kafka).map_err(Failure::other)?,
        waiting: Arc::clone(&events_waiting),
        lifecycle: context.lifecycle.clone(),
    };
    let click_counter = ClickCounter {
        main: main.clone(),
        analytics: analytics.clone(),
        clock: Arc::clone(&context.clock),
        lifecycle: context.lifecycle.clone(),
    };
    let follower = Follower {
        main: main.clone(),
        analytics: analytics.clone(),
        clock: Arc::clone(&context.clock),
        lifecycle: context.lifecycle.clone(),
        waiting: Arc::clone(&webhooks.waiting),
    };
    let publisher = Publisher {
        database: main.clone(),
        producer: Producer::new(&config.kafka).map_err(Failure::other)?,
        kafka: config.kafka,
        readiness: context.readiness.clone(),
        lifecycle: context.lifecycle.clone(),
    };
    for part in [main.name(), analytics.name(), PART] {
        context.readiness.missing(part, "starting");
    }

    let life = &context.lifecycle;
    life.spawn_worker(main.name(), open_main(main.clone(), context.clone()));
    let version = config.analytics_schema;
    let opening = open_analytics(analytics.clone(), version, context.clone());
    life.spawn_worker(analytics.name(), opening);
    life.spawn_worker(PART, publisher.run());
    life.spawn_worker(conversions::PART, event_publisher.run());
    life.spawn_worker(counted_clicks::PART, click_counter.run());
    life.spawn_worker(FOLLOWER, follower.run());
    life.spawn_worker(SENDER, sender.run());
    if let Some(follower) = config.jwt.follow() {
        life.spawn_until_stop("api token keys", follower.run());
    }
    life.spawn_until_stop("api throttles", forget_idle(config.throttles.clone()));

    let clock = Arc::clone(&context.clock);
    let gate = Gate::new(config.jwt, config.throttles.clone(), clock);
    let app = Arc::new(App {
        main,
        analytics,
        canceller,
        report_turns: Turns::new(OF_REPORTS),
        command_turns: Turns::new(OF_COMMANDS),
        gate,
        throttles: config.throttles,
        // A secret of its own would be one more to keep; signatures of cursors and of tokens have
        // different inputs.
        cursors: tracking.clone(),
        clock: Arc::clone(&context.clock),
        ids: Arc::clone(&context.ids),
        max_links: config.max_links,
        max_pages: config.max_pages,
        plan: config.plan,
        owner_plans: config.owner_plans,
        public_host: manage::host_of_public_url(&config.public_url),
        resolver: config.resolver,
        words: config.words,
        short_urls: ShortUrls::new(&config.public_url),
        proxies: config.proxies,
        clicks: IdMaker::new(clicks),
        events_waiting,
        webhooks,
    });
    let cors = middleware::from_fn_with_state(config.origins, cors::bearer);
    let own = manage::routes(&app).merge(surfaces::routes(&app));
    let own = own.route_layer(cors);
    // Outside that layer: every page may call them.
    let own = own.merge(conversions::public::routes(&app));
    let own = own.with_state(Arc::clone(&app));
    Ok(own.merge(public::routes(app, tracking, config.public_url)))
}

async fn forget_idle(throttles: Throttles) {
    loop {
        tokio::time::sleep(FORGET_PAUSE).await;
        throttles.forget_idle();
    }
}

/// The routes of the binary as a document.
fn document() -> Value {
    let mut document = Document::new(dialects::described());
    describe(&mut document);
    service::describe(&mut document);
    document.finish()
}

/// The binary: routes and health on `API_LISTEN` until a signal.
///
/// # Errors
/// [`Failure`] with the exit code.
pub async fn run(mut settings: Settings, context: Context) -> Result<(), Failure> {
    let config = Config::read(&mut settings, &context);
    let listen = listen::read(&mut settings, &LISTEN);
    let options = Options::read(&mut settings);
    throttle::check_names(&mut settings, &limits::published(), Scope::Service);
    settings.finish()?;
    let listener = serve::bind(&listen).await.map_err(Failure::Other)?;
    // Only the separate binary can have another secret than ingest.
    let shared = config.tracking.clone().zip(config.clicks.clone());
    if let Some((tracking, id)) = shared {
        let life = &context.lifecycle;
        let shared = Shared { tracking, id };
        let checking = tracking_check::check(config.kafka.clone(), shared, life.clone());
        life.spawn_worker("api", checking);
    }
    let public_url = config.public_url.clone();
    let routes = start(config, &context).await?;
    let health = health::router(context.readiness.clone(), metrics::install());
    // The counters of all routes exist from the start, so that alerts see their first increase.
    metrics::zero_routes(&document());
    let docs = docs::router(document, public_url);
    let home = home::router(HOME);
    let all = routes.merge(health).merge(home).merge(docs);
    serve::spawn(listener, all, dialects::spoken(), options, &context);
    context.lifecycle.run_to_end().await.map_err(Failure::other)
}
