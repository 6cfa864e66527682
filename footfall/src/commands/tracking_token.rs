//! `footfall tracking-token`: prints the token for a page that is rendered elsewhere, valid for
//! five to ten minutes.

use crate::{output::print_line, secrets};
use ingest::secrets::TRACKING;
use runtime::{Context, Settings, program::Failure};
use schemas::{Keyring, PageId, tracking_token};

/// Prints the page's token, made with `TRACKING_HMAC_SECRET` or with the secret of the data
/// directory. Creates and changes nothing.
///
/// # Errors
/// When no secret is found, or the secret is invalid.
pub fn run(mut settings: Settings, context: &Context, page: PageId) -> Result<(), Failure> {
    settings.finish()?;
    secrets::take_kept(&mut settings, &[TRACKING.name])?;
    let secrets = settings.required_with(&TRACKING, Keyring::parse);
    settings.finish()?;
    secrets.map_or(Ok(()), |secrets| {
        print_line(&tracking_token::make(&secrets, page, context.clock.now()))
    })
}
