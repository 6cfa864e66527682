//! `footfall import`: imports history from another system, or lines that `footfall replay` printed.
//!
//! The way of a line: `lines` reads it, [`ingest::history`] turns it into events, and `known` drops
//! those that exist already. `publish` puts the others into the log, `conversions` records
//! conversions in the main database, while `tables` watches how far
//! the tables are behind. The rule to keep: an import may be started again at any time, after any
//! end, and adds nothing twice.

mod accept;
mod bad_lines;
mod conversions;
mod ground;
mod known;
mod lines;
mod place;
mod progress;
mod publish;
mod recent;
mod standing;
mod summary;
mod tables;
mod unit;

pub use bad_lines::{Bad, Told};
pub use ground::{Ground, Urls};
pub use progress::Progress;
pub use summary::{Counts, Stopped, Summary};

use crate::output::print_json;
use clap::Args;
use runtime::{Context, Settings, program::Failure};
use std::{
    fs::File,
    io::{Read, stdin},
    path::PathBuf,
};

/// An example visit with every member, over several lines so that it is readable.
pub const EXAMPLE: &str = r#"{"bioPageId": "5f0c3f0e-6c5e-4b6a-9d0a-0f6c1c5b7a11",
 "eventId": "0190a6a0-0000-7000-8000-000000000001",
 "occurredAt": "2026-02-20T10:30:00.123Z",
 "visitorId": "raw id", "userId": null, "ip": "81.2.69.142",
 "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)",
 "referrer": "https://www.instagram.com/",
 "landingUrl": "https://bio.example/@ada?utm_source=spring",
 "timezone": "Europe/Istanbul", "language": "tr-TR", "heartbeats": 3,
 "views": [{"eventId": "0190a6a0-0000-7000-8000-000000000002",
            "occurredAt": "2026-02-20T10:30:00.200Z", "path": "/",
            "linkClicked": null,
            "leave": {"duration": 41.5, "scrollDepth": 80}}]}"#;

/// An example click with every member.
pub const EXAMPLE_CLICK: &str = r#"{"kind": "click",
 "eventId": "0190a6a0-0000-7000-8000-000000000003",
 "occurredAt": "2026-02-20T10:31:00.123Z",
 "shortCode": "promo", "host": "go.example.com",
 "trigger": "link", "query": "utm_source=spring",
 "destination": "https://shop.example/spring",
 "visitorId": "raw id", "ip": "81.2.69.142",
 "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)",
 "referrer": "https://www.instagram.com/", "language": "tr-TR"}"#;

/// An example conversion with every member that goes with a click.
pub const EXAMPLE_CONVERSION: &str = r#"{"kind": "conversion",
 "eventId": "0190a6a0-0000-7000-8000-000000000004",
 "occurredAt": "2026-02-20T10:45:00Z",
 "click": {"eventId": "0190a6a0-0000-7000-8000-000000000003",
           "occurredAt": "2026-02-20T10:31:00.123Z",
           "shortCode": "promo", "host": "go.example.com"},
 "event": "purchase", "type": "sale", "value": "49.90", "currency": "EUR",
 "orderId": "A-1", "customerExternalId": "C-1",
 "customerEmail": "ada@example.com", "customerName": "Ada",
 "metadata": {"shop": "berlin"}}"#;

fn help() -> String {
    format!(
        "A line is a JSON object: a visit, a click on a short link, or a conversion. Here they are shown over several lines. A visit:

{EXAMPLE}

Required are bioPageId, eventId, occurredAt and visitorId, and in a view eventId and occurredAt. An eventId is a \
UUID that never changes: the same one counts once, for ever, and a repeated line counts as known. Views are in time \
order. `occurredAt` decides every report. Everything else is as in the beacon of that name, with its limits; consent is \
assumed. Crawlers are refused, as in live traffic. An ip may have a port, brackets or a zone; an invalid one leaves the \
visit without a place. Addresses and raw ids are enriched and hashed, and never stored.

A line with the kind `click` is a click on a short link:

{EXAMPLE_CLICK}

Required are eventId, occurredAt, and linkId or shortCode; without a host, it is that of PUBLIC_URL. The link must exist \
here. `trigger` is link, qr, deeplink or api. `query` is that of the short URL as it was opened; its utm_* and qr count as \
in live traffic. Without a destination, it is the link's present one. Without a visitorId, the address and the agent are \
the visitor. Machines' clicks, those without a userAgent included, and repeated clicks of a visitor within an hour are in \
the log and do not count, as in live traffic.

A line with the kind `conversion` is a conversion:

{EXAMPLE_CONVERSION}

Required are eventId, occurredAt, and whose it is: `click`, the members that name a click of an import; or `clickId`, the \
lw_cid of a live one; or `workspaceId` with a customerExternalId that has a click. The rules are those of POST \
/api/conversions: the click is at most 30 days older, an order counts once, and the event's name decides the class. A \
conversion is recorded in the main database, so the import needs DATABASE_URL when it has no data directory. It may stand \
before its click.

A line may also be one that `footfall replay` printed: it is checked and published unchanged.

Examples:
  footfall import visits.jsonl
  zcat visits.jsonl.gz | footfall import --strict -
  footfall import visits.jsonl --json | jq .bad.all

It works on KAFKA_BROKERS and DATABASE_URL (or ANALYTICS_DATABASE_URL) if both are given, else on the running \
program of the data directory, else it starts the embedded parts of that directory and stops them at the end. \
The secrets are those of `footfall up`, from the environment or the data directory.

It pauses while the tables are more than 20,000 records behind. It gives up a partition of the log that does not \
advance for two minutes: it skips and counts the lines for that partition, the lines for other partitions continue, and \
the exit code is 1. After any end, kill -9 included, start the same import again: it skips known visits, and nothing \
counts twice.

It takes at most 1,000 views of a visit, and nothing that comes 24 hours after the visit's start or later; the rest of \
a new visit is dropped and counted as `session_over`. A line with more than 2,880 heartbeats (a day of them) is bad. \
Bad lines do not stop the import. The first 20 are shown; if there are more, all of them are in a file beside the \
imported one (for standard input: in the working directory), which the summary names, and `--json` lists all of them \
under `.bad.all`."
    )
}

/// Flags of `import`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = help())]
pub struct Arguments {
    /// File of JSON lines, or - for standard input
    file: String,
    /// Return when everything is in the log, without waiting for the tables
    #[arg(long)]
    no_wait: bool,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Exit with 1 when a line was bad
    #[arg(long)]
    strict: bool,
}

/// The source of the lines.
struct Input {
    from: Box<dyn Read + Send>,
    /// Its size in bytes, if known.
    bytes: Option<u64>,
}

impl Input {
    fn open(name: &str) -> Result<Self, Failure> {
        if name == "-" {
            return Ok(Self {
                from: Box::new(stdin()),
                bytes: None,
            });
        }
        let open = || {
            let file = File::open(name)?;
            let metadata = file.metadata()?;
            let bytes = metadata.is_file().then_some(metadata.len());
            Ok::<_, std::io::Error>(Self {
                from: Box::new(file),
                bytes,
            })
        };
        open().map_err(|error| Failure::Other(format!("{name}: {error}")))
    }
}

/// Imports a file and prints a summary.
///
/// # Errors
/// When the file cannot be read, the log is unavailable, a partition does not advance, or, with
/// `--strict`, a line was bad.
pub async fn run(
    settings: Settings,
    context: Context,
    arguments: Arguments,
) -> Result<(), Failure> {
    let input = Input::open(&arguments.file)?;
    let wait = !arguments.no_wait;
    let file = (arguments.file != "-").then(|| PathBuf::from(&arguments.file));
    let summary = place::with_ground(settings, &context, async |ground: Ground| {
        let mut progress = Progress::new(input.bytes);
        let ground = ground.of_file(file);
        ground.import(input.from, wait, &mut progress).await
    })
    .await?;
    eprintln!("{summary}");
    if arguments.json {
        print_json(&summary)?;
    }
    if !summary.stopped.is_empty() {
        let stopped: Vec<String> = summary.stopped.iter().map(Stopped::to_string).collect();
        return Err(Failure::Other(format!(
            "{}; see /ready and the log of the projectors for the reason, fix that, and start the same import again: nothing counts twice",
            stopped.join("; ")
        )));
    }
    let bad = summary.bad.lines;
    if arguments.strict && bad > 0 {
        return Err(Failure::Other(format!("{bad} lines are bad")));
    }
    Ok(())
}
