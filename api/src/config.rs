//! The configuration of the api, read once from the settings.

use crate::{
    auth::Plan,
    dns::{self, Resolver},
    limits,
    webhooks::{self, Roots, Targets},
    words::{self, Words},
};
use jiff::SignedDuration;
use runtime::{
    Context, IdSource, Settings, database,
    http::{TrustedProxies, cors::Origins, public_url},
    jwt::Verifier,
    kafka::KafkaSettings,
    settings::Setting,
    throttle::Throttles,
};
use schemas::Keyring;
use std::{fmt, time::Duration};

/// The address that the api listens on.
pub const LISTEN: Setting = Setting::new("API_LISTEN", "127.0.0.1:8083", "address api listens on");
const DATABASE: Setting = Setting::new(
    "DATABASE_URL",
    "embedded PostgreSQL",
    "main database, postgres://user:password@host/name",
)
.secret()
.required();
const ANALYTICS: Setting = Setting::new(
    "ANALYTICS_DATABASE_URL",
    "<name>_analytics on the server of DATABASE_URL",
    "analytics database",
)
.secret()
.required();
const TRACKING: Setting = Setting::new(
    "TRACKING_HMAC_SECRET",
    "generated at the first start",
    "secret of tracking tokens, `<new>` or `<new>,<old>`",
)
.secret()
.required();
const CLICK_IDS: Setting = Setting::new(
    "ID_SECRET",
    "generated at the first start",
    "secret of session, page-view and click ids, `<new>` or `<new>,<old>`",
)
.secret()
.required();
const MAX_LINKS: Setting = Setting::new("BIO_MAX_LINKS", "100", "most links of a bio page");
const MAX_PAGES: Setting = Setting::new("BIO_MAX_PAGES", "20", "most bio pages of a creator");
const PLAN: Setting = Setting::new(
    "WORKSPACE_PLAN",
    "enterprise",
    "plan of new workspaces: starter, pro or enterprise",
);
const OWNER_PLANS: Setting = Setting::new(
    "WORKSPACE_OWNER_PLANS",
    "none",
    "plans that owners may choose for their workspaces, separated by commas",
);
const TIMEOUT: Setting = Setting::new(
    "REPORT_TIMEOUT",
    "30s",
    "time limit of a report; a slower one is answered 503",
);

/// The settings of the api wherever it runs, in the order of `--help`.
pub(crate) const SETTINGS: &[Setting] = &[
    DATABASE,
    ANALYTICS,
    TRACKING,
    CLICK_IDS,
    MAX_LINKS,
    MAX_PAGES,
    PLAN,
    OWNER_PLANS,
    dns::SERVER,
    TIMEOUT,
    words::WORDS_FILE,
    webhooks::PRIVATE_TARGETS,
    webhooks::CA_FILE,
];
/// Default time limit of a report's statement: shorter than proxies wait.
const REPORT_TIMEOUT: Duration = Duration::from_secs(30);
/// Bounds of that limit.
const REPORT_TIMEOUTS: [SignedDuration; 2] =
    [SignedDuration::from_secs(1), SignedDuration::from_mins(10)];

/// The configuration of an api.
#[derive(Clone)]
pub struct Config {
    /// The main database, which the api migrates.
    pub database_url: String,
    /// The analytics database, which it only reads.
    pub analytics_database_url: String,
    /// Newest migration of the analytics database that the reports need.
    pub analytics_schema: i64,
    /// The cluster of the directory topic.
    pub kafka: KafkaSettings,
    /// Checks the tokens of callers.
    pub jwt: Verifier,
    /// The rate limits.
    pub throttles: Throttles,
    /// Makes the tracking tokens of pages with the secret that ingest has; `None` is a recorded
    /// problem.
    pub tracking: Option<Keyring>,
    /// Verifies the ids of clicks with the secret that ingest has; `None` is a recorded problem.
    pub clicks: Option<Keyring>,
    /// Beginning of short URLs and of pages' addresses, without a slash at the end.
    pub public_url: String,
    /// Most links of a page.
    pub max_links: u32,
    /// Most pages of a creator.
    pub max_pages: u32,
    /// The plan of new workspaces.
    pub plan: Plan,
    /// The plans that owners may choose.
    pub(crate) owner_plans: Vec<Plan>,
    /// Finds the proofs of domains.
    pub(crate) resolver: Resolver,
    /// Time limit of a report's statement.
    pub report_timeout: Duration,
    /// Forbidden words in titles and texts.
    pub words: Words,
    /// Which addresses webhooks may reach.
    pub(crate) targets: Targets,
    /// Which authorities they trust besides those of the internet.
    pub(crate) roots: Roots,
    /// Origins whose pages may call from a browser.
    pub origins: Origins,
    /// Proxies whose forwarded addresses are trusted.
    pub proxies: TrustedProxies,
}

/// Without the passwords of the databases.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("kafka", &self.kafka)
            .field("jwt", &self.jwt)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Reads the settings and records problems in them. A config with problems must not be started.
    pub fn read(settings: &mut Settings, context: &Context) -> Self {
        let jwt = Verifier::read(settings).unwrap_or_else(|| refuse_everyone(&*context.ids));
        let public_url = public_url::read(settings, &LISTEN);
        let max_links = settings.parse(&MAX_LINKS, "a whole number");
        let max_pages = settings.parse(&MAX_PAGES, "a whole number");
        let plan = settings.parse_with(PLAN, read_plan);
        let owner_plans = settings.parse_with(OWNER_PLANS, read_plans);
        let report_timeout = settings.parse_with(TIMEOUT, read_timeout);
        Self {
            database_url: database::read_url(settings, &DATABASE),
            analytics_database_url: database::read_url(settings, &ANALYTICS),
            analytics_schema: crate::startup::ANALYTICS_SCHEMA,
            kafka: KafkaSettings::read(settings),
            jwt,
            throttles: Throttles::read(settings, &limits::published(), &context.clock),
            tracking: settings.required_with(&TRACKING, Keyring::parse),
            clicks: settings.required_with(&CLICK_IDS, Keyring::parse),
            public_url,
            max_links,
            max_pages,
            plan: plan.unwrap_or(Plan::Enterprise),
            owner_plans: owner_plans.unwrap_or_default(),
            resolver: Resolver::read(settings),
            report_timeout: report_timeout.unwrap_or(REPORT_TIMEOUT),
            words: Words::read(settings),
            targets: Targets::read(settings),
            roots: Roots::read(settings),
            origins: Origins::read(settings),
            proxies: TrustedProxies::read(settings),
        }
    }
}

fn read_plan(text: &str) -> Result<Plan, String> {
    let known = || format!("is {text:?}; give starter, pro or enterprise");
    Plan::named(text).ok_or_else(known)
}

/// Plans separated by commas; `none` is no plan, as without the setting.
fn read_plans(text: &str) -> Result<Vec<Plan>, String> {
    let names = text.split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    match text {
        "none" => Ok(Vec::new()),
        _ => names.map(read_plan).collect(),
    }
}

fn read_timeout(text: &str) -> Result<Duration, String> {
    let [least, most] = REPORT_TIMEOUTS;
    let given = text.parse::<SignedDuration>().ok();
    let inside = given.filter(|given| (least..=most).contains(given));
    inside
        .and_then(|given| given.try_into().ok())
        .ok_or_else(|| format!("is {text:?}; give a time from {least:#} to {most:#}, such as 30s"))
}

/// For settings with a problem: a random secret, so that even a program that does not check for
/// problems admits no caller.
fn refuse_everyone(ids: &dyn IdSource) -> Verifier {
    let random = [ids.random_16(), ids.random_16()].map(u128::from_be_bytes);
    let [first, second] = random;
    Verifier::hs256(&format!("{first:032x}{second:032x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_recorded_and_the_config_admits_no_caller() {
        let mut settings = Settings::from_pairs([
            ("PUBLIC_URL", "links"),
            ("BIO_MAX_LINKS", "many"),
            ("BIO_MAX_PAGES", "-1"),
            ("WORKSPACE_PLAN", "gold"),
            ("WORKSPACE_OWNER_PLANS", "pro, gold"),
            ("REPORT_TIMEOUT", "0s"),
        ]);
        let config = Config::read(&mut settings, &Context::system());
        let text = settings.finish().unwrap_err().to_string();
        for name in [
            "DATABASE_URL",
            "ANALYTICS_DATABASE_URL",
            "KAFKA_BROKERS",
            "JWT_SECRET",
            "TRACKING_HMAC_SECRET",
            "PUBLIC_URL",
            "BIO_MAX_LINKS",
            "BIO_MAX_PAGES",
            "WORKSPACE_PLAN",
            "WORKSPACE_OWNER_PLANS",
            "REPORT_TIMEOUT",
        ] {
            assert!(text.contains(&format!("\n  {name}: ")), "{name}: {text}");
        }
        let config = Config {
            database_url: "postgres://u:hunter2@h/main".to_owned(),
            analytics_database_url: "postgres://u:hunter2@h/analytics".to_owned(),
            ..config
        };
        assert!(!format!("{config:?}").contains("hunter2"));
        let now = jiff::Timestamp::UNIX_EPOCH;
        let ttl = jiff::SignedDuration::from_hours(1);
        let token = runtime::jwt::mint("", "ada", None, now, ttl).unwrap();
        assert!(config.jwt.verify(&token, now).is_err());
    }

    #[test]
    fn owners_may_choose_the_named_plans_only() {
        let both = vec![Plan::Starter, Plan::Pro];
        for (text, plans) in [
            ("none", Vec::new()),
            ("pro", vec![Plan::Pro]),
            ("starter, pro", both.clone()),
            ("starter,,pro,", both),
        ] {
            assert_eq!(read_plans(text), Ok(plans), "{text}");
        }
        for text in ["gold", "pro,none", "Pro", "starter pro"] {
            assert!(read_plans(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_time_of_a_report_has_bounds() {
        for (text, seconds) in [("1s", 1), ("30s", 30), ("2m", 120), ("10m", 600)] {
            assert_eq!(read_timeout(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["30", "-30s", "999ms", "11m", "a while"] {
            let said = read_timeout(text).unwrap_err();
            assert!(
                said.ends_with("give a time from 1s to 10m, such as 30s"),
                "{said}"
            );
        }
    }

    #[test]
    fn the_public_url_has_no_trailing_slash() {
        let read = |pairs: &[(&str, &str)]| {
            let mut settings = Settings::from_pairs(pairs.iter().copied());
            let url = public_url::read(&mut settings, &LISTEN);
            (url, settings.finish().is_ok())
        };
        assert_eq!(read(&[]), ("http://127.0.0.1:8083".to_owned(), true));
        assert_eq!(
            read(&[("PUBLIC_URL", "https://l.example/")]),
            ("https://l.example".to_owned(), true)
        );
        assert_eq!(
            read(&[("API_LISTEN", "[::1]:1")]),
            ("http://[::1]:1".to_owned(), true)
        );
        for wrong in [
            "links.example",
            "ftp://l.example",
            "https://",
            "https://l.example/?a=1",
            "https://l.example/#a",
            "https://user:secret@l.example",
        ] {
            assert!(!read(&[("PUBLIC_URL", wrong)]).1, "{wrong}");
        }
        let mut settings = Settings::from_pairs([("PUBLIC_URL", "https://ada:hunter2@l.example")]);
        public_url::read(&mut settings, &LISTEN);
        let said = settings.finish().unwrap_err().to_string();
        assert!(
            said.contains("l.example") && !said.contains("hunter2"),
            "{said}"
        );
    }
}
