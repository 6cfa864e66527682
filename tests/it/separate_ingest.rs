//! An ingest as a process of its own, with a spool, beside a system that has the other services.

use kit::{
    Client, System,
    child::{Program, pairs},
    system::{PATIENCE, SECRET},
};
use reqwest::Method;
use runtime::SystemClock;
use std::{net::TcpListener, path::Path, sync::Arc, time::Duration};

/// The host of its short URLs.
pub const HOST: &str = "footfall.test";

/// An ingest as a process of its own, beside a system that has the other services.
pub struct Ingest {
    pub program: Program,
    pub client: Client,
}

impl Ingest {
    pub fn start(system: &System, address: &str, spool: &Path, max_bytes: u64) -> Self {
        let mut settings = system.log.variables();
        for (name, value) in [
            ("INGEST_LISTEN", address),
            ("PUBLIC_URL", &format!("http://{HOST}")),
            ("SPOOL_DIR", spool.to_str().unwrap()),
            ("SPOOL_MAX_BYTES", &max_bytes.to_string()),
            ("JWT_SECRET", SECRET),
            ("TRACKING_HMAC_SECRET", SECRET),
            ("ID_SECRET", SECRET),
            ("VISITOR_HASH_SECRET", SECRET),
            ("RATE_LIMITS", "off"),
            ("RUST_LOG", "off"),
        ] {
            settings.insert(name.to_owned(), value.to_owned());
        }
        Self {
            program: Program::start("ingest", &[], &pairs(&settings)),
            client: Client::new(format!("http://{address}"), Arc::new(SystemClock)),
        }
    }

    /// Waits until it is ready.
    pub async fn ready(&self) {
        let ready = async {
            loop {
                let asked = self.client.request(Method::GET, "/ready").send().await;
                if asked.is_ok_and(|answer| answer.status() == 200) {
                    return;
                }
                // A process that does not listen yet sends no notification.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready)
            .await
            .expect("not ready");
    }

    /// The value of a series of `/metrics`.
    pub async fn metric(&self, series: &str) -> u64 {
        let text = self.client.get("/metrics").await.text;
        let line = text.lines().find_map(|line| {
            let value = line.strip_prefix(series)?.strip_prefix(' ')?;
            value.parse().ok()
        });
        line.unwrap_or_else(|| panic!("no {series}"))
    }
}

pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
