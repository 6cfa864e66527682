//! Writes import files of any size.

use crate::target::{CREATOR, Target};
use footfall::demo::visits::{Lines, Plan, Visits};
use runtime::{Clock, SystemClock};
use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write, stdout},
    path::PathBuf,
    time::Instant,
};
use uuid::Uuid;

/// `footfall-bench history`
#[derive(Debug, clap::Args)]
pub struct History {
    /// Visits
    #[arg(long, default_value_t = 1_000_000)]
    visits: u32,
    /// Days that they are spread over, up to now
    #[arg(long, default_value_t = 400)]
    days: u32,
    /// Page that is visited; by default one of the running program of the data directory
    #[arg(long)]
    page: Option<Uuid>,
    /// A link that is clicked; may be given several times
    #[arg(long)]
    link: Vec<Uuid>,
    /// Data directory of the running program
    #[arg(long, default_value = "data")]
    data_dir: String,
    /// Seed: the same number gives the same visits
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The file; else standard output
    #[arg(long)]
    out: Option<PathBuf>,
}

impl History {
    /// Writes the file.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let (page, links) = if let Some(page) = self.page {
            (page, self.link)
        } else {
            let target = Target::find(&self.data_dir, CREATOR, &reqwest::Client::new()).await?;
            (target.page, target.links)
        };
        let plan = Plan {
            page,
            links,
            url: "https://bio.example/@bench".to_owned(),
            visits: self.visits,
            days: self.days,
            until: SystemClock.now(),
            seed: self.seed,
        };
        let begun = Instant::now();
        let mut text = Lines::new(Visits::new(plan).history());
        let bytes = match &self.out {
            Some(path) => {
                let mut file = BufWriter::new(File::create(path)?);
                let bytes = std::io::copy(&mut text, &mut file)?;
                file.flush()?;
                bytes
            }
            None => std::io::copy(&mut text, &mut stdout().lock())?,
        };
        eprintln!(
            "{} visits in {bytes} bytes, written in {:.1} s",
            self.visits,
            begun.elapsed().as_secs_f64()
        );
        Ok(())
    }
}
