//! Every setting: its name, what it means, who reads it. `--help`, the check of the settings file
//! and the hiding of secrets all come from this list.

use crate::throttle::{Limit, setting_name};
use std::fmt::Write;

/// A setting as people see it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name in the environment and in the settings file.
    pub name: &'static str,
    /// What holds when it is not given.
    pub default: &'static str,
    /// What it means, in one line.
    pub help: &'static str,
    /// Programs that read it.
    pub programs: &'static [Program],
    /// True when its value is never shown.
    pub secret: bool,
}

/// The programs of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The all-in-one program.
    Footfall,
    /// Takes beacons.
    Ingest,
    /// Folds the log.
    Projector,
    /// Answers reports.
    Api,
}

use Program::{Api, Footfall, Ingest, Projector};

const ALL: &[Program] = &[Footfall, Ingest, Projector, Api];

const fn open(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    programs: &'static [Program],
) -> Setting {
    Setting {
        name,
        default,
        help,
        programs,
        secret: false,
    }
}

const fn secret(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    programs: &'static [Program],
) -> Setting {
    Setting {
        name,
        default,
        help,
        programs,
        secret: true,
    }
}

/// Every setting, in the order in which `--help` shows them.
pub const SETTINGS: &[Setting] = &[
    open(
        "FOOTFALL_CONFIG",
        "none",
        "TOML file with settings by these names; flags and environment win over it",
        ALL,
    ),
    open(
        "FOOTFALL_DATA_DIR",
        "./data",
        "folder of everything the embedded parts keep",
        &[Footfall],
    ),
    open(
        "FOOTFALL_LISTEN",
        "127.0.0.1:8080",
        "address of the one listener",
        &[Footfall],
    ),
    open(
        "INGEST_LISTEN",
        "127.0.0.1:8081",
        "address ingest listens on",
        &[Ingest],
    ),
    open(
        "PROJECTOR_LISTEN",
        "127.0.0.1:8082",
        "address the projector listens on (health and metrics)",
        &[Projector],
    ),
    open(
        "API_LISTEN",
        "127.0.0.1:8083",
        "address api listens on",
        &[Api],
    ),
    open(
        "PUBLIC_URL",
        "http://<listen>",
        "what short URLs and pages are printed with",
        &[Footfall, Api],
    ),
    open(
        "KAFKA_BROKERS",
        "embedded log",
        "bootstrap servers of a Kafka cluster; any other librdkafka setting as KAFKA_<NAME_WITH_UNDERSCORES>",
        ALL,
    ),
    secret(
        "DATABASE_URL",
        "embedded PostgreSQL",
        "main database, postgres://user:password@host/name",
        &[Footfall, Api],
    ),
    secret(
        "ANALYTICS_DATABASE_URL",
        "<name>_analytics on the server of DATABASE_URL",
        "analytics database",
        &[Footfall, Projector, Api],
    ),
    secret(
        "PROJECTOR_DATABASE_URL",
        "ANALYTICS_DATABASE_URL",
        "analytics database under the projector's own role, when ANALYTICS_DATABASE_URL has a role that only reads",
        &[Footfall],
    ),
    open(
        "EMBEDDED_POSTGRES",
        "auto",
        "server programs of the embedded PostgreSQL: installed, download, or auto for the first that serves",
        &[Footfall],
    ),
    open(
        "JWT_ALGORITHM",
        "HS256",
        "the one algorithm tokens may have: HS256, RS256, ES256 or EdDSA",
        &[Footfall, Ingest, Api],
    ),
    secret(
        "JWT_SECRET",
        "made at first start",
        "secret of HS256 tokens, at least 32 characters",
        &[Footfall, Ingest, Api],
    ),
    open(
        "JWT_PUBLIC_KEY",
        "none",
        "public key of tokens by RS256, ES256 or EdDSA, PEM text",
        &[Footfall, Ingest, Api],
    ),
    open(
        "JWT_PUBLIC_KEY_FILE",
        "none",
        "file with that key",
        &[Footfall, Ingest, Api],
    ),
    open(
        "JWT_JWKS_FILE",
        "none",
        "file with a set of such keys (JWKS), read again when it changes; `kid` chooses the key",
        &[Footfall, Ingest, Api],
    ),
    open(
        "JWT_ISSUER",
        "not checked",
        "`iss` that tokens must carry",
        &[Footfall, Ingest, Api],
    ),
    open(
        "JWT_AUDIENCE",
        "not checked",
        "`aud` that tokens must carry",
        &[Footfall, Ingest, Api],
    ),
    secret(
        "TRACKING_HMAC_SECRET",
        "made at first start",
        "secret of tracking tokens, `<new>` or `<new>,<old>`",
        &[Footfall, Ingest, Api],
    ),
    secret(
        "ID_SECRET",
        "made at first start",
        "secret of session and page-view ids, `<new>` or `<new>,<old>`",
        &[Footfall, Ingest],
    ),
    secret(
        "VISITOR_HASH_SECRET",
        "made at first start",
        "secret of visitor hashes; a new one makes every visitor a stranger",
        &[Footfall, Ingest],
    ),
    open(
        "CORS_ORIGINS",
        "none",
        "origins whose pages may call routes with a Bearer, separated by commas",
        &[Footfall, Ingest, Api],
    ),
    open(
        "TRUSTED_PROXIES",
        "none",
        "networks (CIDR, separated by commas) whose CF-Connecting-IP and X-Forwarded-For are believed",
        &[Footfall, Ingest, Api],
    ),
    open(
        "HTTP_IDLE_TIMEOUT",
        "75s",
        "how long a connection may stay idle; must be longer than the proxy keeps its own",
        ALL,
    ),
    open(
        "HTTP_CONNECTIONS_PER_ADDRESS",
        "512",
        "most open connections of one client address (IPv6: of one /64); TRUSTED_PROXIES and this machine are not counted",
        ALL,
    ),
    open(
        "GEOIP_DATABASE",
        "bundled countries",
        "MMDB file of places (GeoLite2, GeoIP2 or DB-IP, City or Country), read again when it changes",
        &[Footfall, Ingest],
    ),
    open(
        "RATE_LIMITS",
        "on",
        "`off` for load tests and trusted networks; one limit as RATE_LIMIT_<ROUTE>=<count>/<seconds>, listed below",
        &[Footfall, Ingest, Api],
    ),
    open(
        "TRACKING_ENABLED",
        "true",
        "anything else: custom events are answered and not recorded",
        &[Footfall, Ingest],
    ),
    open(
        "MAX_EVENT_DATA_BYTES",
        "10000",
        "most bytes of a custom event's properties",
        &[Footfall, Ingest],
    ),
    open(
        "BIO_MAX_LINKS",
        "100",
        "most links of a bio page",
        &[Footfall, Api],
    ),
    open(
        "BIO_MAX_PAGES",
        "20",
        "most bio pages of a creator",
        &[Footfall, Api],
    ),
    open(
        "REPORT_TIMEOUT",
        "30s",
        "longest time of a report; one that takes longer is answered 503",
        &[Footfall, Api],
    ),
    open(
        "CONTENT_WORDS_FILE",
        "none",
        "file of words, one a line, that titles and texts may not hold",
        &[Footfall, Api],
    ),
    open(
        "LOG_FORMAT",
        "text on a terminal, else json",
        "text or json; logs go to standard error",
        ALL,
    ),
    open(
        "RUST_LOG",
        "info",
        "which log lines to write, as tracing filters",
        ALL,
    ),
];

/// The setting of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// True for listed settings and for the two families `KAFKA_<...>` and `RATE_LIMIT_<...>`.
#[must_use]
pub fn is_known(name: &str) -> bool {
    find(name).is_some() || name.starts_with("KAFKA_") || name.starts_with("RATE_LIMIT_")
}

/// Settings whose default is something that only the all-in-one program brings along.
const REQUIRED_ALONE: &[&str] = &[
    "KAFKA_BROKERS",
    "DATABASE_URL",
    "ANALYTICS_DATABASE_URL",
    "JWT_SECRET",
    "TRACKING_HMAC_SECRET",
    "ID_SECRET",
    "VISITOR_HASH_SECRET",
];

/// The part of `--help` that explains a program's settings, and the limits that it has.
#[must_use]
pub fn help(program: Program, limits: &[Limit]) -> String {
    let mut text =
        String::from("Settings (environment, or the file that FOOTFALL_CONFIG names):\n");
    for setting in SETTINGS
        .iter()
        .filter(|setting| setting.programs.contains(&program))
    {
        let alone = program != Footfall && REQUIRED_ALONE.contains(&setting.name);
        let default = match (alone, setting.name) {
            (true, "JWT_SECRET") => "[required by HS256]".to_owned(),
            (true, _) => "[required]".to_owned(),
            (false, _) => format!("[default: {}]", setting.default),
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "  {}
      {} {default}",
            setting.name, setting.help
        );
    }
    if !limits.is_empty() {
        text.push_str("\nLimits, each as <count>/<seconds>, per user, address or id:\n");
        for limit in limits {
            let name = setting_name(limit.route);
            let _ = writeln!(
                text,
                "  {name} [default: {}/{}]",
                limit.count, limit.seconds
            );
        }
    }
    text
}
