//! `footfall fx`: loads rates of currencies into the main database.

use crate::{
    commands::reach::{find_with_log, lock},
    databases,
    run_file::RunFile,
};
use api::{LoadedRates, load_rates};
use clap::Args;
use runtime::{
    Context, Settings,
    database::{PoolSettings, pool},
    program::Failure,
};
use std::path::PathBuf;
use tracing::warn;

fn help() -> &'static str {
    "A sale is converted to US dollars at the rate of the last day on or before it. Sales in a currency without such a rate \
stay unconverted. This command loads rates, and converts the sales that waited for them, each once. A rate that was used \
already changes no sale.

The file has the columns day,currency,usd_per_unit: the dollars for one unit of the currency. All lines are loaded or none.

It works on DATABASE_URL if that is given, else on the database of the running program, or on the embedded one, which it \
starts and stops.

Examples:
  printf 'day,currency,usd_per_unit\\n2026-02-20,EUR,1.0855\\n' > rates.csv
  footfall fx rates.csv"
}

/// Flags of `fx`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = help())]
pub struct Arguments {
    /// The CSV file
    file: PathBuf,
}

/// Connections to the database.
const POOL_SIZE: u32 = 1;

/// Loads the rates of a file.
///
/// # Errors
/// When the file is wrong, or the database cannot be used.
pub async fn run(
    mut settings: Settings,
    context: Context,
    arguments: Arguments,
) -> Result<(), Failure> {
    let programs = databases::read_programs(&mut settings);
    settings.finish()?;
    let path = &arguments.file;
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
    if let Some(url) = settings.text("DATABASE_URL") {
        return load(&url, &text, &context).await;
    }
    let data_dir = find_with_log(&settings)?;
    if let Some(running) = RunFile::read_running(&data_dir) {
        let url = databases::writing(&running.database_url, &data_dir.postgres())?;
        return load(&url, &text, &context).await;
    }
    let lock = lock(&data_dir)?;
    let provided = databases::provide(&mut settings, &data_dir, programs).await?;
    let url = settings.text("DATABASE_URL").unwrap_or_default();
    let loaded = load(&url, &text, &context).await;
    if let Some(server) = provided.server
        && server.stop().await.is_err()
    {
        warn!("the embedded PostgreSQL could not be stopped cleanly");
    }
    drop(lock);
    loaded
}

async fn load(url: &str, text: &str, context: &Context) -> Result<(), Failure> {
    let settings = PoolSettings::new("footfall-fx", POOL_SIZE);
    let pool = pool(url, &settings).map_err(Failure::other)?;
    let sources = (&*context.clock, &*context.ids);
    let LoadedRates { rates, converted } = load_rates(&pool, sources, text)
        .await
        .map_err(Failure::other)?;
    eprintln!("{rates} rates loaded; {converted} conversions have dollars now");
    pool.close().await;
    Ok(())
}
