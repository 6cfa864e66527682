//! `footfall token`: a JWT for development.

use crate::{data_dir::DataDir, output::print_line, secrets};
use jiff::SignedDuration;
use runtime::{Context, Settings, jwt, program::Failure};
use uuid::Uuid;

/// Prints a token under `JWT_SECRET`, or under the data directory's secret, which is made if there is
/// none yet.
///
/// # Errors
/// When the settings ask for another algorithm than HS256, whose private key nobody gave us.
pub fn run(
    mut settings: Settings,
    context: &Context,
    sub: &str,
    ttl: SignedDuration,
    workspace: Option<Uuid>,
) -> Result<(), Failure> {
    let algorithm = settings
        .text("JWT_ALGORITHM")
        .unwrap_or_else(|| "HS256".to_owned());
    if algorithm != "HS256" {
        let what = format!(
            "is {algorithm}; `footfall token` makes HS256 tokens only, ask your issuer for one"
        );
        settings.problem("JWT_ALGORITHM", what);
    }
    if sub.is_empty() || sub.chars().count() > jwt::MAX_SUBJECT_CHARS {
        settings.problem("--sub", "must have 1 to 128 characters");
    }
    settings.finish()?;
    if settings.text("JWT_SECRET").is_none() {
        let data_dir = DataDir::open(&settings)?;
        secrets::complete(&mut settings, &data_dir, &*context.ids)?;
    }
    let secret = settings.required("JWT_SECRET");
    settings.finish()?;
    let workspace = workspace.map(|id| id.to_string());
    let token =
        jwt::mint(&secret, sub, workspace, context.clock.now(), ttl).map_err(Failure::other)?;
    print_line(&token)
}
