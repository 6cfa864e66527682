//! `footfall token`: a JWT for development.

use crate::{data_dir::DataDir, output::print_line, secrets};
use jiff::SignedDuration;
use runtime::{
    Context, Settings,
    jwt::{self, Claims},
    program::Failure,
};
use serde_json::Value;
use uuid::Uuid;

/// Prints a token under `JWT_SECRET`, or under the data directory's secret, which is made if there is
/// none yet; with the issuer and audience that the settings ask for.
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
    if jwt::algorithm(&settings) != Some(jwt::Algorithm::HS256) {
        let algorithm = settings.text("JWT_ALGORITHM").unwrap_or_default();
        let what = format!(
            "is {algorithm}; `footfall token` makes HS256 tokens only, for others the private key is with your issuer: ask it for one"
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
    let now = context.clock.now().as_second();
    let claims = Claims {
        sub: sub.to_owned(),
        exp: now.saturating_add(ttl.as_secs()),
        nbf: None,
        workspace_id: workspace.map(|id| id.to_string()),
        iss: settings.text("JWT_ISSUER"),
        aud: settings.text("JWT_AUDIENCE").map(Value::from),
    };
    print_line(&jwt::sign(&secret, &claims).map_err(Failure::other)?)
}
