//! `footfall replay`: prints records of the log as JSON lines.
//!
//! It ends where the log ended at its start and never waits for more. Standard output carries only
//! records.

mod belonging;
mod bound;
mod read;
mod record;

pub use bound::Bound;
pub use read::{ReplayError, write};

use super::reach::Log;
use clap::Args;
use runtime::{Context, Settings, program::Failure};
use schemas::{Kind, topics::EVENTS};
use std::io::{BufWriter, ErrorKind, Write};
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

Examples:
  footfall replay > log.jsonl
  footfall replay --from 2026-02-01 --type page.viewed | wc -l
  footfall replay --topic footfall.deadletter.v1
  footfall import log.jsonl

It reads KAFKA_BROKERS if given, else the log of the running program of the data directory, else it starts the \
embedded log of that directory and stops it at the end. To pipe it into `footfall import -`, start the program first: two commands \
cannot both start the embedded parts of one data directory.";

/// Flags of `replay`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = HELP)]
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

/// Prints the selected records. A closed pipe is not an error.
///
/// # Errors
/// When the log or the topic does not exist, or the log does not answer.
pub async fn run(
    mut settings: Settings,
    context: Context,
    selection: Selection,
) -> Result<(), Failure> {
    let log = Log::reach(&mut settings, &*context.ids).await?;
    let (kafka, cluster) = (log.kafka.clone(), log.kafka.clone());
    let printed = tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
        write(&kafka, &selection, &mut out)?;
        Ok(out.flush()?)
    })
    .await;
    log.leave().await;
    match printed.map_err(Failure::other)? {
        Err(ReplayError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(ReplayError::Kafka(error)) => Err(Failure::Other(cluster.describe(&error))),
        printed => printed.map_err(|error: ReplayError| Failure::other(error)),
    }
}
