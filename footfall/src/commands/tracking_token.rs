//! `footfall tracking-token`: what a page rendered elsewhere carries for the next five to ten minutes.

use crate::{data_dir::DataDir, output::print_line, secrets};
use runtime::{Context, Settings, program::Failure, secrets::read_tracking};
use schemas::{PageId, tracking_token};

/// Prints the page's token under `TRACKING_HMAC_SECRET`, or under the data directory's secret.
///
/// # Errors
/// When the secret cannot be used.
pub fn run(mut settings: Settings, context: &Context, page: PageId) -> Result<(), Failure> {
    if settings.text("TRACKING_HMAC_SECRET").is_none() {
        let data_dir = DataDir::open(&settings)?;
        secrets::complete(&mut settings, &data_dir, &*context.ids)?;
    }
    let secrets = read_tracking(&mut settings);
    settings.finish()?;
    secrets.map_or(Ok(()), |secrets| {
        print_line(&tracking_token::make(&secrets, page, context.clock.now()))
    })
}
