//! Finds the running program of a data directory, and a creator's page in it.

use footfall::{data_dir::DataDir, run_file::RunFile};
use jiff::SignedDuration;
use runtime::{Clock, Settings, SystemClock, jwt, toml_text};
use schemas::{Keyring, PageId, WorkspaceId, tracking_token};
use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// A program, its creator and everything that beacons for the page need.
#[derive(Debug)]
pub struct Target {
    data_dir: DataDir,
    tracking: Keyring,
    /// The creator's token.
    pub token: String,
    /// The creator's workspace.
    pub workspace: WorkspaceId,
    /// The creator's page.
    pub page: Uuid,
    /// Links of the page.
    pub links: Vec<Uuid>,
    /// The content of `run.json` at the start.
    pub run: RunFile,
}

/// The creator of the measurements, if no other is named.
pub const CREATOR: &str = "bench";
const LINKS: usize = 5;

impl Target {
    /// Finds the program, and makes the creator of that name if it is missing.
    pub async fn find(
        folder: &str,
        creator: &str,
        http: &reqwest::Client,
    ) -> Result<Self, Box<dyn Error>> {
        let settings = Settings::from_pairs([("FOOTFALL_DATA_DIR", folder)]);
        let data_dir = DataDir::find(&settings).map_err(|failure| format!("{failure:?}"))?;
        let secrets = toml_text::parse(&fs::read_to_string(data_dir.secrets())?)?;
        let secret = |name: &str| {
            secrets
                .get(name)
                .and_then(|secret| secret.as_str())
                .map(str::to_owned)
                .ok_or_else(|| format!("no {name} in {folder}"))
        };
        let run =
            RunFile::read_running(&data_dir).ok_or("the program is not running, or not ready")?;
        let ttl = SignedDuration::from_hours(24);
        let token = jwt::mint(
            &secret("JWT_SECRET")?,
            creator,
            None,
            SystemClock.now(),
            ttl,
        )?;
        let tracking = Keyring::parse(&secret("TRACKING_HMAC_SECRET")?)?;
        let mut target = Self {
            data_dir,
            tracking,
            token,
            workspace: WorkspaceId(Uuid::nil()),
            page: Uuid::nil(),
            links: Vec::new(),
            run,
        };
        target.provide_creator(creator, http).await?;
        Ok(target)
    }

    async fn provide_creator(
        &mut self,
        name: &str,
        http: &reqwest::Client,
    ) -> Result<(), Box<dyn Error>> {
        let api = format!("http://{}/api/v1/creators", self.run.listen);
        let body = json!({"username": name, "displayName": "Benchmark"});
        // An existing creator is refused here, and found by the next request.
        http.post(&api)
            .bearer_auth(&self.token)
            .json(&body)
            .send()
            .await?;
        let me: Value = http
            .get(format!("{api}/me"))
            .bearer_auth(&self.token)
            .send()
            .await?
            .json()
            .await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.workspace = WorkspaceId(text(&me["data"]["workspaceId"]).parse()?);
        self.page = text(&me["data"]["bioPageId"]).parse()?;
        let creator = text(&me["data"]["id"]);
        let page: Value = http
            .get(format!("{api}/{creator}/bio"))
            .bearer_auth(&self.token)
            .send()
            .await?
            .json()
            .await?;
        let known = page["data"]["links"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        self.links = known
            .iter()
            .filter_map(|link| text(&link["id"]).parse().ok())
            .collect();
        for number in self.links.len()..LINKS {
            let body = json!({"title": format!("Link {number}"), "url": format!("https://example.com/{number}")});
            let request = http
                .post(format!("{api}/{creator}/links"))
                .bearer_auth(&self.token)
                .json(&body);
            let link: Value = request.send().await?.json().await?;
            self.links.push(text(&link["data"]["id"]).parse()?);
        }
        Ok(())
    }

    /// The program's address. After a kill it must start again at the same address.
    pub fn base(&self) -> String {
        format!("http://{}", self.run.listen)
    }

    /// The current content of `run.json`. After a kill, waits for the program: it responds before it is ready.
    pub async fn running(&self) -> Result<RunFile, Box<dyn Error>> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(run) = RunFile::read_running(&self.data_dir) {
                return Ok(run);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the program is not running any more".into())
    }

    /// The page's tracking token now.
    pub fn tracking_token(&self) -> String {
        tracking_token::make(&self.tracking, PageId(self.page), SystemClock.now())
    }

    /// A report's data.
    pub async fn report(
        &self,
        http: &reqwest::Client,
        path: &str,
    ) -> Result<Value, Box<dyn Error>> {
        let url = format!("{}/api/v1/creators/analytics/{path}", self.base());
        let body: Value = http
            .get(url)
            .bearer_auth(&self.token)
            .send()
            .await?
            .json()
            .await?;
        if body["success"] == json!(true) {
            Ok(body["data"].clone())
        } else {
            Err(body.to_string().into())
        }
    }
}
