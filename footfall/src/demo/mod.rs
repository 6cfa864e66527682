//! `footfall up --demo`: provides a creator with a page and short links, weeks of history and live
//! visits and clicks, and prints where to look.
//!
//! It uses only public interfaces: HTTP for the creator, links and live visits, the import for
//! history. The rule to keep: a second start adds no history, even if the first one was
//! interrupted.

#![expect(
    clippy::indexing_slicing,
    reason = "the demo's tables and its own server's answers"
)]

mod clicks;
mod client;
mod creator;
mod links;
mod people;
mod tour;
mod trickle;
pub mod visits;

use crate::{
    commands::{
        import::{Ground, Progress, Urls},
        token,
    },
    output::print_line,
};
use api::catalog::{Choice, REPORTS, Report, Shape};
use clicks::Click;
use client::Client;
use creator::{Creator, NAME};
use ingest::{redirect::host, secrets::TRACKING};
use jiff::SignedDuration;
use links::ShortLink;
use runtime::{Context, Settings, jwt, kafka::KafkaSettings, program::Failure};
use schemas::Keyring;
use std::{fmt::Write, net::SocketAddr};
use tracing::info;
use trickle::Trickle;
use visits::{Lines, Plan, Visits};

/// Length of the history.
const DAYS: u32 = 28;
/// Seed of the history. Another seed would add a second history on top of the first.
const SEED: u64 = 1;
/// Seed of the live visits. It differs, so that they get ids of their own. Their visitors have the
/// same ids as those of the history.
const LIVE_SEED: u64 = 2;
/// Seeds of the clicks on short links, in the history and live.
const CLICKS_SEED: u64 = 3;
const LIVE_CLICKS_SEED: u64 = 4;
/// For each click on a short link, the history has this many visits of the page.
const VISITS_A_CLICK: u32 = 2;
/// Validity of the printed token.
const TOKEN_HOURS: i64 = 24;
/// Proxies whose forwarded addresses are trusted. Live visits come from this machine and claim
/// addresses from everywhere.
const PROXIES: &str = "127.0.0.1/32,::1/128";

/// Default number of visits in the history.
pub const VISITS: u32 = 6_000;

/// A demo on a running program.
#[derive(Debug)]
pub struct Demo {
    /// Settings of the running program.
    pub settings: Settings,
    /// Its log.
    pub kafka: KafkaSettings,
    /// Address of its listener.
    pub listener: SocketAddr,
    /// Visits of the history.
    pub visits: u32,
}

/// Sets what a demo needs, and reports settings that would prevent it.
pub fn prepare(settings: &mut Settings) {
    let algorithm = jwt::algorithm(settings);
    if let Some(algorithm) = algorithm.filter(|algorithm| *algorithm != jwt::Algorithm::HS256) {
        let what = format!(
            "is {algorithm:?}, whose private key only your issuer has; --demo signs its own token, so remove JWT_ALGORITHM and the public key, or start without --demo"
        );
        settings.problem("JWT_ALGORITHM", what);
    }
    settings.set_default("TRUSTED_PROXIES", PROXIES);
}

impl Demo {
    /// Provides the creator and the history, prints where to look, and sends visits until the
    /// servers stop.
    ///
    /// # Errors
    /// When the program refuses a request of the demo.
    pub async fn run(mut self, context: Context) -> Result<(), Failure> {
        let made = tokio::select! {
            made = self.make(&context) => made?,
            () = context.lifecycle.servers_stopping() => return Ok(()),
        };
        let (trickle, visits, clicks) = made;
        trickle.run(visits, clicks, &context.lifecycle).await;
        Ok(())
    }

    async fn make(&mut self, context: &Context) -> Result<(Trickle, Visits, Visits), Failure> {
        let now = context.clock.now();
        let tracking = self.settings.required_with(&TRACKING, Keyring::parse);
        self.settings.finish()?;
        let tracking = tracking.ok_or_else(|| Failure::other("TRACKING_HMAC_SECRET is missing"))?;
        let ttl = SignedDuration::from_hours(TOKEN_HOURS);
        let token = token::make(&mut self.settings, NAME, None, now, ttl)?;
        let client = Client::new(self.listener, token.clone())?;
        let creator = Creator::provide(&client, now).await?;
        let links = links::provide(&client).await?;
        let public = self.settings.text("PUBLIC_URL");
        let public = public.unwrap_or_else(|| client.base.clone());
        let public = public.trim_end_matches('/');
        let url = format!("{public}/@{}", creator.username);
        let plan = Plan {
            page: creator.page,
            links: creator.links,
            url: url.clone(),
            visits: self.visits,
            days: DAYS,
            // The same at every start, so that the history is the same.
            until: creator.created_at,
            seed: SEED,
        };
        let clicks = Plan {
            visits: self.visits / VISITS_A_CLICK,
            seed: CLICKS_SEED,
            ..plan.clone()
        };
        self.import(context, &plan, &clicks, &links).await?;
        let data_dir = self.settings.text("FOOTFALL_DATA_DIR");
        let mut announced = announcement(&url, &client.base, &token, data_dir.as_deref());
        announced.push_str(&tour::text(public, &client.base, &links));
        print_line(&announced)?;
        let trickle = Trickle {
            client,
            tracking,
            clock: context.clock.clone(),
            ids: context.ids.clone(),
            links,
            host: host::of_url(public).unwrap_or_default(),
        };
        let live_clicks = Plan {
            seed: LIVE_CLICKS_SEED,
            ..clicks
        };
        let live = Plan {
            seed: LIVE_SEED,
            ..plan
        };
        Ok((trickle, Visits::new(live), Visits::new(live_clicks)))
    }

    /// Imports the history, unless its last visit or click is already in the tables.
    async fn import(
        &mut self,
        context: &Context,
        plan: &Plan,
        clicks: &Plan,
        links: &[ShortLink],
    ) -> Result<(), Failure> {
        let analytics = self.settings.text("ANALYTICS_DATABASE_URL");
        let analytics = analytics.unwrap_or_default();
        let main = self.settings.text("DATABASE_URL");
        let urls = Urls {
            main: main.as_deref(),
            analytics: &analytics,
        };
        let kafka = self.kafka.clone();
        let ground = Ground::prepare(&mut self.settings, kafka, urls, context).await?;

        let history = Visits::new(plan.clone()).history();
        let last = history.filter(|visit| {
            // A refused visit leaves no row to look for.
            !visit.views.is_empty() && !visit.is_crawler()
        });
        let last = last.last().map(|visit| serde_json::to_string(&visit));
        let last = last.transpose().map_err(Failure::other)?;
        let text = || {
            let mut bytes = Vec::new();
            let mut reader = Lines::new(Visits::new(plan.clone()).history());
            std::io::Read::read_to_end(&mut reader, &mut bytes).map_err(Failure::other)?;
            Ok(bytes)
        };
        let what = format!("{} visits", plan.visits);
        import_once(&ground, last, (&what, text)).await?;

        let clicks = clicks::history(Visits::new(clicks.clone()), links);
        let last = clicks.last().map(|click| click.line().to_string());
        // The last click is the sign that all is there, so the conversions come before the clicks.
        let conversions = clicks.iter().filter_map(Click::conversion);
        let objects = conversions.chain(clicks.iter().map(Click::line));
        let text = || {
            let texts = objects.map(|object| format!("{object}\n"));
            Ok(texts.collect::<String>().into_bytes())
        };
        let what = format!("{} clicks on short links", clicks.len());
        import_once(&ground, last, (&what, text)).await
    }
}

/// Imports a text, unless the tables have this line, its last one that leaves a row.
async fn import_once(
    ground: &Ground,
    last: Option<String>,
    (what, text): (&str, impl FnOnce() -> Result<Vec<u8>, Failure>),
) -> Result<(), Failure> {
    let Some(last) = last else {
        return Ok(());
    };
    if ground.has(&last).await? {
        info!("the demo's history exists already: {what}");
        return Ok(());
    }
    info!("creating the demo's history: {what} over {DAYS} days");
    let lines = text()?;
    let mut progress = Progress::new(Some(lines.len() as u64));
    let input = std::io::Cursor::new(lines);
    let summary = ground.import(input, true, &mut progress).await?;
    eprintln!("{summary}");
    Ok(())
}

/// The printed text: where to look.
fn announcement(page: &str, base: &str, token: &str, data_dir: Option<&str>) -> String {
    let folder = data_dir.map_or_else(String::new, |folder| format!(" --data-dir '{folder}'"));
    let mut text = format!(
        "
The demo is running; Ctrl-C stops it. A visit comes every few seconds.

  its page   {page}
  its token  valid for {TOKEN_HOURS} hours; a new one: footfall token --sub {NAME}{folder}

TOKEN={token}
"
    );
    // An id in a path is not known here.
    let shown = |report: &&Report| !report.path.contains('{');
    for report in REPORTS.iter().filter(shown) {
        // A report with a choice is shown with its first option.
        let query = match &report.shape {
            Shape::Choice(Choice {
                param,
                of: [first, ..],
            }) => {
                format!("?{}={}", report.param_name(*param), first.name)
            }
            _ => String::new(),
        };
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "
# {}
curl -s -H \"Authorization: Bearer $TOKEN\" '{base}{}{query}'
",
            report.summary, report.path
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_announced_with_a_command() {
        let text = announcement(
            "http://h/@demo",
            "http://127.0.0.1:8080",
            "t.o.k",
            Some("d"),
        );
        assert!(text.contains("--sub demo --data-dir 'd'\n"), "{text}");
        assert!(
            text.contains("\nTOKEN=t.o.k\n") && text.contains("http://h/@demo"),
            "{text}"
        );
        for report in REPORTS.iter().filter(|report| !report.path.contains('{')) {
            let url = format!("'http://127.0.0.1:8080{}", report.path);
            assert!(text.contains(&url), "{} in {text}", report.path);
        }
        assert!(text.contains("/export?type=overview'"), "{text}");
    }

    #[test]
    fn prepare_refuses_foreign_tokens_and_keeps_configured_proxies() {
        let mut settings = Settings::from_pairs([("JWT_ALGORITHM", "RS256")]);
        prepare(&mut settings);
        assert!(settings.finish().is_err());
        let mut settings = Settings::from_pairs([("TRUSTED_PROXIES", "10.0.0.0/8")]);
        prepare(&mut settings);
        assert!(settings.finish().is_ok());
        assert_eq!(
            settings.text("TRUSTED_PROXIES").as_deref(),
            Some("10.0.0.0/8")
        );
    }
}
