//! `include=counts`: what links and QR codes have had, beside their members.
//!
//! The one rule: counts never cost an answer. While they cannot be read, they are null.

use crate::{
    app::App,
    auth::{Access, CommandTurn, Permission},
    catalog::Tally,
    command::Parameter,
    manage::asked::Asked,
    query::{self, Tallied},
    refusals,
    surfaces::workspace::own_money,
};
use runtime::{http::ApiError, openapi::word_of};
use std::time::Duration;
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

/// How long an answer waits for its counts. Two quiet cores count about two million
/// clicks in this time, busy ones about one million.
const PATIENCE: Duration = Duration::from_secs(5);

const WORDS: [&str; 1] = ["counts"];

/// The parameter that asks for counts.
pub(super) const INCLUDE: Parameter = Parameter {
    name: "include",
    schema: || {
        word_of(&WORDS).about(
            "`counts` adds what its clicks tell, of all time. It takes `analytics:read`, and longer the more clicks there are. While the numbers \
             cannot be read, or take longer than 5 s, they are null.",
        )
    },
};

/// A request for counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    access: &'a Access,
    turn: &'a CommandTurn,
}

/// The request for counts, if the query asks for them.
///
/// # Errors
/// 403 when the caller may not read reports.
pub(super) fn wanted<'a>(
    asked: &mut Asked<'_>,
    access: &'a Access,
    turn: &'a CommandTurn,
) -> Result<Option<Wanted<'a>>, ApiError> {
    if asked.word(INCLUDE.name, &WORDS).is_none() {
        return Ok(None);
    }
    if !access.tenant()?.may(Permission::REPORTS) {
        return Err(refusals::permission_missing());
    }
    Ok(Some(Wanted { access, turn }))
}

impl Wanted<'_> {
    /// The numbers of things that belong to these links; `None` while they cannot be read. The caller
    /// must have read what it needs of the main database, and hold none of its connections.
    pub(super) async fn count(
        self,
        app: &App,
        tally: &'static Tally,
        links: Vec<Uuid>,
    ) -> Result<Option<Tallied>, ApiError> {
        let workspace = &self.access.tenant()?.workspace;
        let money = own_money(app, workspace, app.clock.now()).await?;
        self.turn.give_back();
        let counting = query::tally(app, tally, (workspace.number(), links), money);
        let reason = match timeout(PATIENCE, counting).await {
            Ok(Ok(tallied)) => return Ok(Some(tallied)),
            Ok(Err(error)) => error.inside.map_or_else(|| error.code.into(), String::from),
            Err(_) => format!("it takes longer than {} s", PATIENCE.as_secs()),
        };
        let id = workspace.id;
        warn!(workspace.id = %id, "cannot read {} for an answer to workspace {id}: {reason}", tally.id);
        metrics::counter!("api_counts_missing_total").increment(1);
        Ok(None)
    }
}
