//! `footfall token`: a JWT for development.

use crate::{output::print_line, secrets};
use jiff::{SignedDuration, Timestamp};
use runtime::{
    Context, Settings,
    jwt::{self, Claims, Verifier},
    program::Failure,
};
use serde_json::Value;
use uuid::Uuid;

/// Shortest validity: a shorter one would be over before the token is printed.
const MIN_TTL: SignedDuration = SignedDuration::from_secs(1);
/// Longest validity: a token cannot be revoked.
const MAX_TTL: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Parses the validity of a token.
///
/// # Errors
/// When the text is not a duration, or the duration is below a second or above a year.
pub fn read_ttl(text: &str) -> Result<SignedDuration, String> {
    let ttl: SignedDuration = text
        .parse()
        .map_err(|_| "give a duration, for example 15m, 1h or 720h")?;
    if (MIN_TTL..=MAX_TTL).contains(&ttl) {
        Ok(ttl)
    } else {
        Err("give a duration from 1s to 8784h (a year)".to_owned())
    }
}

/// Prints a token signed with `JWT_SECRET`, or with the secret of the data directory. It has the
/// configured issuer and audience. Creates and changes nothing.
///
/// # Errors
/// When the settings name another algorithm than HS256, whose private key is elsewhere, or no
/// secret is found.
pub fn run(
    mut settings: Settings,
    context: &Context,
    sub: &str,
    ttl: SignedDuration,
    workspace: Option<Uuid>,
) -> Result<(), Failure> {
    if jwt::algorithm(&settings) != Some(jwt::Algorithm::HS256) {
        let algorithm = settings.text(jwt::ALGORITHM).unwrap_or_default();
        let what = format!(
            "is {algorithm}; `footfall token` makes only HS256 tokens; get other tokens from your issuer"
        );
        settings.problem(jwt::ALGORITHM, what);
    }
    if sub.is_empty() || sub.chars().count() > jwt::MAX_SUBJECT_CHARS {
        settings.problem("--sub", "must have 1 to 128 characters");
    }
    settings.finish()?;
    secrets::take_kept(&mut settings, &[jwt::SECRET.name])?;
    print_line(&make(
        &mut settings,
        sub,
        workspace,
        context.clock.now(),
        ttl,
    )?)
}

/// Makes a token that a program with these settings accepts.
///
/// # Errors
/// When that program would not start, or would refuse the token.
pub(crate) fn make(
    settings: &mut Settings,
    sub: &str,
    workspace: Option<Uuid>,
    now: Timestamp,
    ttl: SignedDuration,
) -> Result<String, Failure> {
    let verifier = Verifier::read(settings);
    let secret = settings.required(&jwt::SECRET);
    settings.finish()?;
    let claims = Claims {
        sub: sub.to_owned(),
        exp: now.as_second().saturating_add(ttl.as_secs()),
        nbf: None,
        workspace_id: workspace.map(|id| id.to_string()),
        iss: settings.text(jwt::ISSUER),
        aud: settings.text(jwt::AUDIENCE).map(Value::from),
    };
    let token = jwt::sign(&secret, &claims).map_err(Failure::other)?;
    // Verifies the token as that program would, so that every printed token works.
    match verifier.map(|verifier| verifier.verify(&token, now)) {
        Some(Ok(_)) => Ok(token),
        _ => Err(Failure::other(
            "a token made with these settings would be refused; check the JWT_ settings",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_for_a_second_to_a_year() {
        for text in ["1s", "15m", "1h", "720h", "8784h", "PT1H"] {
            assert!(read_ttl(text).is_ok(), "{text}");
        }
        for text in [
            "0s",
            "-1h",
            "500ms",
            "8785h",
            "99999999999999999999h",
            "106751991167300d",
            "1",
            "",
            "soon",
        ] {
            assert!(read_ttl(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_fits_the_settings_or_is_not_made() {
        const SECRET: &str = "0123456789abcdef0123456789abcdef";
        let make = |pairs: &[(&str, &str)]| {
            let mut settings = Settings::from_pairs(pairs.iter().copied());
            let hour = SignedDuration::from_hours(1);
            let made = make(&mut settings, "ada", None, Timestamp::UNIX_EPOCH, hour);
            made.map(|token| (settings, token))
        };
        let (mut settings, token) = make(&[
            ("JWT_SECRET", SECRET),
            ("JWT_ISSUER", "us"),
            ("JWT_AUDIENCE", "them"),
        ])
        .unwrap();
        let verifier = Verifier::read(&mut settings).unwrap();
        let claims = verifier.verify(&token, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((claims.iss.as_deref(), claims.exp), (Some("us"), 3_600));
        let short = make(&[("JWT_SECRET", "short")]).unwrap_err().to_string();
        assert!(short.contains("JWT_SECRET: is too short"), "{short}");
        assert!(make(&[]).is_err());
    }
}
