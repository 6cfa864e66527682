//! A file of events, written while it is read: the memory does not depend on its length.
//!
//! Every piece is a page by time under the watermark of the first one, so the file is what one
//! snapshot had, without a transaction that lasts as long as the download. The one rule: after a
//! failure the stream ends with an error, which breaks the connection, so that a short file never
//! looks complete.

use super::{
    Browse, Codes, Event, FIELDS, Watermark,
    page::{After, Found, Visible},
};
use crate::{app::App, query::reading, refusals};
use axum::body::Body;
use futures::{FutureExt, Stream, stream};
use runtime::http::ApiError;
use sqlx::postgres::PgRow;
use std::{io, sync::Arc};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, warn};

/// How many events a piece has: about 3 MB.
const PIECE: i64 = 5_000;
/// About how many bytes an event takes in a file.
const LINE: usize = 640;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A JSON object on each line.
    Json,
    /// Comma-separated values with a line of names (RFC 4180).
    Csv,
}

/// An export that has begun.
#[derive(Debug)]
pub(crate) struct Export {
    /// What it contains; `None` when there was nothing.
    pub(crate) watermark: Option<Watermark>,
    /// The file.
    pub(crate) body: Body,
}

/// The next piece.
enum Next {
    Read(Found),
    /// A task of its own, so that it ends, and returns its turn, however slowly the client reads.
    Reading(AbortOnDropHandle<Result<Found, ApiError>>),
}

/// The rest of an export.
struct Rest {
    app: Arc<App>,
    format: Format,
    codes: Codes,
    browse: Browse,
    next: Option<Next>,
    has_names: bool,
}

impl Export {
    /// Reads the first piece, so that errors up to there have a status of their own. A file that
    /// `is_resumed` has no line of names.
    pub(crate) async fn begin(
        app: Arc<App>,
        browse: Browse,
        format: Format,
        is_resumed: bool,
    ) -> Result<Self, ApiError> {
        let mut browse = Browse {
            limit: PIECE,
            ..browse
        };
        let rows = read(Arc::clone(&app), browse.clone()).await?;
        let watermark = rows.watermark;
        browse.visible = watermark.map_or(Visible::Nothing, Visible::Until);
        let rest = Rest {
            app,
            format,
            codes: Codes::default(),
            browse,
            next: Some(Next::Read(rows)),
            has_names: !is_resumed,
        };
        Ok(Self {
            watermark,
            body: Body::from_stream(rest.pieces()),
        })
    }
}

/// Reads a page by time, in the tenant's turn.
pub(crate) async fn read(app: Arc<App>, browse: Browse) -> Result<Found, ApiError> {
    let turn = app.report_turns.take(browse.selection.workspace_no).await;
    let turn = turn.ok_or_else(refusals::report_busy)?;
    let read = reading::attend(&app, turn, move |connection| {
        async move { browse.read(connection).await }.boxed()
    });
    let rows = read.await?;
    if rows.is_lost {
        return Err(refusals::events_position_lost());
    }
    Ok(rows)
}

impl Rest {
    fn pieces(self) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
        stream::try_unfold(self, |mut rest| async move {
            let piece = rest.piece().await.map_err(|error| {
                let reason = error.inside.unwrap_or_else(|| error.message.into());
                warn!("an export was broken off: {reason}");
                io::Error::other("the export was broken off")
            })?;
            Ok(piece.map(|piece| (piece, rest)))
        })
    }

    /// The next piece of the file; `None` at its end.
    async fn piece(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        let rows = match self.next.take() {
            None => return Ok(None),
            Some(Next::Read(rows)) => rows,
            Some(Next::Reading(task)) => task.await.map_err(ApiError::internal)??,
        };
        if rows.has_more
            && let Some(place) = rows.last()?
        {
            self.browse.after = After::Place(place);
            // The database reads it while this piece is written and sent.
            let next = read(Arc::clone(&self.app), self.browse.clone());
            let task = tokio::spawn(next.in_current_span());
            self.next = Some(Next::Reading(AbortOnDropHandle::new(task)));
        }
        self.codes.learn(self.app.main.pool()?, &rows.rows).await?;
        self.write(&rows.rows).map(Some)
    }

    fn write(&mut self, rows: &[PgRow]) -> Result<Vec<u8>, ApiError> {
        match self.format {
            Format::Json => {
                let mut lines = Vec::with_capacity(rows.len() * LINE);
                for row in rows {
                    let event = Event::of(row, &self.codes)?;
                    event.write_json(&mut lines).map_err(ApiError::internal)?;
                }
                Ok(lines)
            }
            Format::Csv => {
                let lines = Vec::with_capacity(rows.len() * LINE);
                let mut writer = csv::WriterBuilder::new()
                    .terminator(csv::Terminator::CRLF)
                    .from_writer(lines);
                if std::mem::take(&mut self.has_names) {
                    writer.write_record(FIELDS).map_err(ApiError::internal)?;
                }
                for row in rows {
                    let event = Event::of(row, &self.codes)?;
                    let cells = event.cells();
                    let cells = cells.iter().map(|cell| cell.as_bytes());
                    writer.write_record(cells).map_err(ApiError::internal)?;
                }
                let lines = writer.into_inner();
                lines.map_err(|error| ApiError::internal(error.into_error()))
            }
        }
    }
}
