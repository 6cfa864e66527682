//! `footfall replay`: copies records of the log, as JSON lines or as Parquet files.
//!
//! It ends where the log ended at its start and never waits for more. Standard output carries only
//! records.

mod belonging;
mod bound;
#[cfg(feature = "parquet")]
pub mod parquet;
mod read;
mod record;

pub use bound::Bound;
pub use read::{ReplayError, write};

use super::reach::Log;
use clap::{Args, ValueEnum};
use runtime::{Context, Settings, kafka::KafkaSettings, program::Failure};
use schemas::{Kind, topics::EVENTS};
use std::{
    io::{BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Bytes collected before a write.
const BUFFER_BYTES: usize = 64 * 1024;

const HELP: &str = "A line is one record:

{\"key\":\"<workspace>\",\"partition\":0,\"offset\":17,
 \"time\":\"2026-02-20T10:30:00.123Z\",\"event\":{...}}

`time` is when the record was appended, `event.occurred_at` when it happened. Records come partition by \
partition; those of one workspace are all in one, in their order. The output ends where the log ended at the start.

`event` is the stored record. In other topics it may be null: for a record without a payload (a tombstone), and for a \
payload that is not JSON. Such a payload is in `text`, or in `base64` if it is not text. The headers of dead letters \
are in `headers`.

--format parquet writes a folder of files for a data team instead, one data set a type, divided by the day of the append \
in UTC: <out>/page.viewed/day=2026-02-20/*.parquet. Records that are not events which this program can read are in \
<out>/other. A day's folder appears when it is whole; one that exists already is never changed. docs/DATA-TEAMS.md \
explains the columns.

Examples:
  footfall replay > log.jsonl
  footfall replay --from 2026-02-01 --type page.viewed | wc -l
  footfall replay --topic footfall.deadletter.v1
  footfall replay --format parquet --from 2026-02-20 --to 2026-02-21 --out lake
  footfall import log.jsonl

It reads KAFKA_BROKERS if given, else the log of the running program of the data directory, else it starts the \
embedded log of that directory and stops it at the end. To pipe it into `footfall import -`, start the program first: two commands \
cannot both start the embedded parts of one data directory.";

/// Flags of `replay`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = HELP)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Folder for the Parquet files
    #[arg(long, value_name = "FOLDER", required_if_eq("format", "parquet"))]
    out: Option<PathBuf>,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON lines on standard output
    Jsonl,
    /// Parquet files in the folder `--out`
    Parquet,
}

impl Arguments {
    /// Returns the reason why these flags cannot work, if they cannot.
    pub(crate) const fn wrong(&self) -> Option<&'static str> {
        match (self.format, &self.out) {
            (Format::Jsonl, Some(_)) => Some("--out needs --format parquet"),
            (Format::Parquet, _) if !cfg!(feature = "parquet") => {
                Some("this build cannot write Parquet; build footfall with `--features parquet`")
            }
            _ => None,
        }
    }
}

/// Which records are wanted.
#[derive(Clone, Debug, Args)]
pub struct Selection {
    /// Topic
    #[arg(long, default_value = EVENTS)]
    pub topic: String,
    /// First record: appended at this time or later (RFC 3339), or at this offset of each partition
    #[arg(long, value_name = "TIME|OFFSET")]
    pub from: Option<Bound>,
    /// End (excluded): a time or an offset
    #[arg(long, value_name = "TIME|OFFSET")]
    pub to: Option<Bound>,
    /// Only records of this workspace
    #[arg(long, value_name = "UUID")]
    pub workspace: Option<Uuid>,
    /// Only events of this type, for example page.viewed
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    pub kind: Option<Kind>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            topic: EVENTS.to_owned(),
            from: None,
            to: None,
            workspace: None,
            kind: None,
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
        format!("the types are {}", known.join(", "))
    })
}

/// Prints the selected records, or writes them to files. A closed pipe is not an error.
///
/// # Errors
/// When the log or the topic does not exist, the log does not answer, or the files cannot be
/// written.
pub async fn run(
    mut settings: Settings,
    context: Context,
    arguments: Arguments,
) -> Result<(), Failure> {
    let log = Log::reach(&mut settings, &*context.ids).await?;
    let (kafka, cluster) = (log.kafka.clone(), log.kafka.clone());
    let Arguments { selection, out, .. } = arguments;
    let copied = tokio::task::spawn_blocking(move || match out {
        Some(folder) => store(&kafka, &selection, &folder),
        None => print(&kafka, &selection),
    })
    .await;
    log.leave().await;
    match copied.map_err(Failure::other)? {
        Err(ReplayError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(ReplayError::Kafka(error)) => Err(Failure::Other(cluster.describe(&error))),
        copied => copied.map_err(Failure::other),
    }
}

fn print(kafka: &KafkaSettings, selection: &Selection) -> Result<(), ReplayError> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
    write(kafka, selection, &mut out)?;
    Ok(out.flush()?)
}

#[cfg(feature = "parquet")]
fn store(kafka: &KafkaSettings, selection: &Selection, out: &Path) -> Result<(), ReplayError> {
    let mut progress = super::progress::Progress::new("copying the log");
    let stored = parquet::write(kafka, selection, out, |done, all| progress.show(done, all));
    progress.clear();
    let stored = stored?;
    let (records, files) = (stored.records, stored.files);
    eprintln!("{records} records in {files} files below {}", out.display());
    Ok(())
}

/// Never called: [`Arguments::wrong`] refuses the flags before.
#[cfg(not(feature = "parquet"))]
fn store(_: &KafkaSettings, _: &Selection, _: &Path) -> Result<(), ReplayError> {
    Err(ReplayError::Files("this build has no Parquet".to_owned()))
}
