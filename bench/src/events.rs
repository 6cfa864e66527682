//! Measures the events API: pages by arrival and by time, and the rate and memory of the export.
//!
//! Clicks go straight into the tables of a fresh system, whose api runs in this process. So the
//! memory is that of the api and of this client together.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kit::{Creator, System, SystemBuilder};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolCopyExt};
use std::{
    error::Error,
    fmt::Write,
    fs,
    time::{Duration, Instant},
};
use uuid::Uuid;

const PATH: &str = "/link/external/v1/analytics/events";
/// Days that the clicks are spread over; the API reads at most 366 at once.
const DAYS: i64 = 300;
/// Links that are clicked.
const LINKS: u32 = 20;
/// Rows of a message to the database.
const CHUNK: u32 = 5_000;

const COPY_HITS: &str = "\
COPY hits (seq, visible_seq, occurred_at, received_at, workspace_no, event_id, click_id, link_id, trigger,
           bot_reason, visitor_hash, short_code, referrer, referrer_domain, country, country_code, region, city,
           device, browser, browser_version, os, os_version, brand, model, utm_source, utm_medium)
FROM STDIN";
const COPY_SEEN: &str = "COPY seen (seq, workspace_no, month, event_id) FROM STDIN";

/// Places and agents of the clicks, as columns of a row.
const PLACES: [&str; 3] = [
    "Germany\tDE\tBerlin\tBerlin",
    "United States\tUS\tCalifornia\tSan Francisco",
    "Turkey\tTR\tIstanbul\tIstanbul",
];
const AGENTS: [&str; 3] = [
    "mobile\tMobile Safari\t17.5\tiOS\t17.5.1\tApple\tiPhone",
    "mobile\tChrome Mobile\t126.0.0.0\tAndroid\t14\tSamsung\tSM-S918B",
    "desktop\tFirefox\t127.0\tWindows\t10\t\\N\t\\N",
];

/// `footfall-bench events`
#[derive(Debug, clap::Args)]
pub struct Events {
    /// Clicks in the tables
    #[arg(long, default_value_t = 1_000_000)]
    count: u32,
    /// Pages of each size and order
    #[arg(long, default_value_t = 200)]
    pages: u32,
    /// Exports of all clicks
    #[arg(long, default_value_t = 3)]
    exports: u32,
}

/// The API of the workspace that has the clicks.
struct Api {
    client: kit::Client,
    key: String,
}

impl Events {
    /// Loads the clicks and prints what their pages and exports take.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let system = SystemBuilder::default().without_projector().start().await;
        let creator = system.client.creator("bench").await;
        let begun = Instant::now();
        self.load(&system, &creator).await?;
        println!(
            "{} clicks loaded in {:.1} s",
            self.count,
            begun.elapsed().as_secs_f64()
        );
        let body = json!({ "name": "bench", "scopes": ["analytics:read"] });
        let made = system
            .client
            .post_as(&creator.token, "/api/keys", &body)
            .await;
        let key = made.data()["key"].as_str().ok_or("no key")?.to_owned();
        let api = Api {
            client: system.client.clone(),
            key,
        };
        let first = kit::noon() - SignedDuration::from_hours(24 * (DAYS + 1));
        let window = format!("from={}&to={}", day(first), day(kit::noon()));
        for limit in [100, 5_000] {
            self.sync(&api, first, limit).await?;
            self.browse(&api, &window, limit).await?;
        }
        for format in ["json", "csv"] {
            for _ in 0..self.exports {
                self.export(&api, &window, format).await?;
            }
        }
        system.finish().await;
        Ok(())
    }

    async fn load(&self, system: &System, creator: &Creator) -> Result<(), Box<dyn Error>> {
        let number: i32 = sqlx::query_scalar("SELECT no FROM workspaces WHERE id = $1")
            .bind(creator.workspace_id)
            .fetch_one(&system.main)
            .await?;
        let mut links = Vec::new();
        for _ in 0..LINKS {
            let url = "https://shop.example/";
            links.push(system.client.link(creator, "Shop", url).await);
        }
        let tables = &system.analytics;
        add_months(tables).await?;
        let mut hits = tables.copy_in_raw(COPY_HITS).await?;
        let mut seen = tables.copy_in_raw(COPY_SEEN).await?;
        for from in (0..self.count).step_by(CHUNK as usize) {
            let (mut rows, mut ids) = (String::new(), String::new());
            for index in from..self.count.min(from + CHUNK) {
                self.add_row(index, number, &links, (&mut rows, &mut ids))?;
            }
            hits.send(rows.into_bytes()).await?;
            seen.send(ids.into_bytes()).await?;
        }
        hits.finish().await?;
        seen.finish().await?;
        sqlx::raw_sql("VACUUM ANALYZE hits, seen")
            .execute(tables)
            .await?;
        Ok(())
    }

    /// Adds a click: the earlier it was, the earlier it arrived. One in twenty is a machine's.
    fn add_row(
        &self,
        index: u32,
        number: i32,
        links: &[Uuid],
        (rows, ids): (&mut String, &mut String),
    ) -> Result<(), Box<dyn Error>> {
        let step = DAYS * 86_400_000_000 / i64::from(self.count.max(1));
        let back = step * i64::from(self.count - index);
        let at = kit::noon() - SignedDuration::from_micros(back);
        let seq = (1_i64 << 48) + i64::from(index);
        let id = id(at, index);
        let pick = |count: usize| (index as usize).wrapping_mul(7_919) % count;
        let (place, agent) = (PLACES[pick(PLACES.len())], AGENTS[pick(AGENTS.len())]);
        let link = links[pick(links.len())];
        let bot = if index % 20 == 7 { "agent" } else { "\\N" };
        writeln!(
            rows,
            "{seq}\t{seq}\t{at}\t{at}\t{number}\t{id}\t{id}\t{link}\tlink\t{bot}\t\\\\x{index:032x}\tcode\t\
             https://social.example/post/{index}\tsocial.example\t{place}\t{agent}\tmail\tnewsletter"
        )?;
        let month = at.to_zoned(TimeZone::UTC).date().first_of_month();
        writeln!(ids, "{seq}\t{number}\t{month}\t{id}")?;
        Ok(())
    }

    /// Pages by arrival, from the first one on, and again from there at the end.
    async fn sync(&self, api: &Api, first: Timestamp, limit: u32) -> Result<(), Box<dyn Error>> {
        let start = format!("since={first}");
        let (mut position, mut times) = (start.clone(), Vec::new());
        for _ in 0..self.pages {
            let (page, time) = api.page(&format!("{position}&limit={limit}")).await?;
            times.push(time);
            position = if page["hasMore"] == true {
                let text = |name: &str| page[name].as_str().unwrap_or_default().to_owned();
                let (since, after) = (text("nextSince"), text("afterEventId"));
                format!("since={since}&afterEventId={after}")
            } else {
                start.clone()
            };
        }
        report(&format!("sync, pages of {limit}"), times);
        Ok(())
    }

    /// Pages by time, likewise.
    async fn browse(&self, api: &Api, window: &str, limit: u32) -> Result<(), Box<dyn Error>> {
        let (mut position, mut times) = (String::new(), Vec::new());
        for _ in 0..self.pages {
            let (page, time) = api
                .page(&format!("{window}{position}&limit={limit}"))
                .await?;
            times.push(time);
            position = page["nextCursor"]
                .as_str()
                .map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        }
        report(&format!("browse, pages of {limit}"), times);
        Ok(())
    }

    async fn export(&self, api: &Api, window: &str, format: &str) -> Result<(), Box<dyn Error>> {
        // The kernel then begins a new peak.
        fs::write("/proc/self/clear_refs", "5")?;
        let (before, begun) = (memory("VmRSS:")?, Instant::now());
        let path = format!("{PATH}/export?{window}&format={format}");
        let request = api.client.request(Method::GET, &path);
        let mut answer = request.header("X-API-KEY", &api.key).send().await?;
        if answer.status().as_u16() != 200 {
            return Err(answer.text().await?.into());
        }
        let (mut rows, mut bytes) = (0_usize, 0_usize);
        while let Some(chunk) = answer.chunk().await? {
            rows += chunk
                .iter()
                .map(|byte| usize::from(*byte == b'\n'))
                .sum::<usize>();
            bytes += chunk.len();
        }
        let seconds = begun.elapsed().as_secs_f64();
        // All but the machines.
        let wanted = (0..self.count).filter(|index| index % 20 != 7).count();
        let rows = rows - usize::from(format == "csv");
        if rows != wanted {
            return Err(format!("{rows} rows instead of {wanted}").into());
        }
        println!(
            "export as {format}: {rows} rows, {bytes} bytes, {:.0} rows a second; memory {:.0} MB before, {:.0} MB at most",
            f64::from(u32::try_from(rows)?) / seconds,
            before / 1e6,
            memory("VmHWM:")? / 1e6
        );
        Ok(())
    }
}

impl Api {
    /// A page, and the time until all of it was here.
    async fn page(&self, query: &str) -> Result<(Value, Duration), Box<dyn Error>> {
        let request = self.client.request(Method::GET, &format!("{PATH}?{query}"));
        let sent = Instant::now();
        let answer = request.header("X-API-KEY", &self.key).send().await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        let time = sent.elapsed();
        if status != 200 {
            return Err(text.into());
        }
        Ok((serde_json::from_str(&text)?, time))
    }
}

/// Adds the partitions of the months of the clicks, as the projector does.
async fn add_months(tables: &PgPool) -> Result<(), Box<dyn Error>> {
    let last = kit::noon().to_zoned(TimeZone::UTC).date();
    let mut month = (last - DAYS.days()).first_of_month();
    while month <= last {
        let next: Date = month + 1.month();
        let name = month.strftime("%Y_%m").to_string();
        let statement = format!(
            "CREATE TABLE hits_{name} PARTITION OF hits FOR VALUES FROM ('{month} 00:00:00+00') TO ('{next} 00:00:00+00'); \
             CREATE TABLE seen_{name} PARTITION OF seen FOR VALUES FROM ('{month}') TO ('{next}')"
        );
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(tables)
            .await?;
        month = next;
    }
    Ok(())
}

/// An id as version 7 makes them: the time, then bits that look random and are different for every
/// index.
fn id(at: Timestamp, index: u32) -> Uuid {
    let mut bits = u64::from(index).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let time = u128::from(at.as_millisecond().unsigned_abs());
    Uuid::from_u128((time << 80) | (7 << 76) | u128::from(bits ^ (bits >> 31)))
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A value of `/proc/self/status`, in bytes.
fn memory(name: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kibibytes.unwrap_or_default().parse::<f64>()? * 1_024.0)
}

fn report(what: &str, mut times: Vec<Duration>) {
    let first = times.first().copied().unwrap_or_default();
    times.sort_unstable();
    let at = |percent: usize| {
        let last = times.len().saturating_sub(1);
        times.get((times.len() * percent / 100).min(last))
    };
    let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!(
        "{what}: p50 {:.2} ms, p99 {:.2} ms, first page {:.2} ms",
        ms(at(50)),
        ms(at(99)),
        ms(Some(&first))
    );
}
