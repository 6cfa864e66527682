//! Generates plausible visits, the same for the same seed: a rhythm of days and hours, returning
//! visitors, bounces and clicked links.
//!
//! A visit is written as one line of an import. The rule to keep: a visit's number decides its ids,
//! so a history that is imported twice counts once.

use super::people::{COUNTRIES, CRAWLERS, DEVICES, Device, HOURS, SOURCES, WEEKDAYS};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rand::{Rng, SeedableRng, rngs::StdRng};
use schemas::EventId;
use serde::Serialize;
use std::{io::Read, net::Ipv4Addr};
use uuid::Uuid;

/// Minutes between the last possible start of a visit and the end of the history, so that no visit
/// outlasts it.
const QUIET_MINUTES: i64 = 60;

/// Parameters of a history.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The page visited.
    pub page: Uuid,
    /// Links that are clicked, the first ones most.
    pub links: Vec<Uuid>,
    /// Address of the page.
    pub url: String,
    /// Visits in all.
    pub visits: u32,
    /// Days that they are spread over.
    pub days: u32,
    /// The end of the last day.
    pub until: Timestamp,
    /// Seed; another one gives another history.
    pub seed: u64,
}

/// A visit, in the form of an import line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Visit {
    /// The page.
    pub bio_page_id: Uuid,
    /// Its id.
    pub event_id: Uuid,
    /// When it began.
    pub occurred_at: Timestamp,
    /// Id of the visitor.
    pub visitor_id: String,
    /// Address of the visitor.
    pub ip: Ipv4Addr,
    /// User agent.
    pub user_agent: String,
    /// Referrer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<&'static str>,
    /// Landing URL.
    pub landing_url: String,
    /// Time zone.
    pub timezone: &'static str,
    /// Language.
    pub language: &'static str,
    /// The user, if signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Heartbeats while the page was in view.
    pub heartbeats: u32,
    /// Views and clicks, in time order.
    pub views: Vec<View>,
}

impl Visit {
    /// True for the visit of a program, which ingest refuses.
    #[must_use]
    pub fn is_crawler(&self) -> bool {
        CRAWLERS.contains(&self.user_agent.as_str())
    }
}

/// A view or click of a visit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Its id.
    pub event_id: Uuid,
    /// When it began.
    pub occurred_at: Timestamp,
    /// Path of the page.
    pub path: &'static str,
    /// The link clicked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_clicked: Option<Uuid>,
    /// How the view ended, if the browser reported it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave: Option<Leave>,
}

/// The end of a view.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leave {
    /// Seconds in view.
    pub duration: f64,
    /// Percentage of the page that was seen.
    pub scroll_depth: u32,
}

/// Generates the visits of a plan, one after the other.
#[derive(Debug)]
pub struct Visits {
    plan: Plan,
    random: StdRng,
    /// Visits made so far.
    made: u32,
    /// Visitors seen so far.
    visitors: u32,
}

impl Visits {
    /// A generator for that plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            random: StdRng::seed_from_u64(plan.seed),
            plan,
            made: 0,
            visitors: 0,
        }
    }

    /// The whole history, hour after hour.
    pub fn history(mut self) -> impl Iterator<Item = Visit> + Send {
        let hours = hours(&self.plan);
        hours.into_iter().flat_map(move |(start, count)| {
            let visits: Vec<Visit> = (0..count)
                .map(|_| {
                    let within =
                        SignedDuration::from_millis(self.random.random_range(0..3_600_000));
                    self.visit(start + within)
                })
                .collect();
            visits
        })
    }

    /// Generates the next visit, at that time.
    pub fn visit(&mut self, at: Timestamp) -> Visit {
        let number = self.made;
        self.made += 1;
        let crawler = self.random.random_bool(0.015);
        let returns = self.visitors > 0 && self.random.random_bool(0.28);
        let visitor = if returns {
            self.random.random_range(0..self.visitors)
        } else {
            self.visitors += 1;
            self.visitors - 1
        };
        // A returning visitor comes from the same place with the same device. The visitor's number
        // is in the high bits, so that plans with small seeds share no generator.
        let mut person = StdRng::seed_from_u64(self.plan.seed ^ (u64::from(visitor) << 20));
        let country = pick(&mut person, COUNTRIES, |country| country.weight);
        let device = pick(&mut person, DEVICES, |device| device.weight);
        let [a, b] = country.network;
        let ip = Ipv4Addr::new(a, b, person.random(), person.random_range(1..255));
        let source = pick(&mut self.random, SOURCES, |source| source.weight);
        let user_agent = if crawler {
            CRAWLERS[self.random.random_range(0..CRAWLERS.len())].to_owned()
        } else {
            agent(device, source.app)
        };
        let (views, seconds) = self.views(number, at);
        Visit {
            bio_page_id: self.plan.page,
            event_id: id(self.plan.seed, number, 0),
            occurred_at: at,
            visitor_id: format!("visitor-{visitor}"),
            ip,
            user_agent,
            referrer: source.referrer,
            landing_url: format!("{}{}", self.plan.url, source.query),
            timezone: country.timezone,
            language: country.language,
            user_id: visitor
                .is_multiple_of(40)
                .then(|| format!("user-{visitor}")),
            heartbeats: seconds / 30,
            views,
        }
    }

    /// Generates the views of a visit, and the seconds they take: a first look, then clicks until
    /// interest ends.
    fn views(&mut self, number: u32, at: Timestamp) -> (Vec<View>, u32) {
        let mut views = Vec::new();
        let mut elapsed_ms = self.random.random_range(80..900);
        let clicks = match self.random.random_range(0..100) {
            0..44 => 0,
            44..80 => 1,
            80..93 => 2,
            _ => 3,
        };
        for index in 0..=clicks {
            let occurred_at = at + SignedDuration::from_millis(i64::from(elapsed_ms));
            let link_clicked = (index > 0).then(|| self.link()).flatten();
            // Most looks are short, some are long.
            let share: f64 = self.random.random_range(0.0..1.0);
            let look_ms = 1_500 + whole(share * share * share * 150_000.0);
            let leave = (index == clicks && self.random.random_bool(0.85)).then(|| Leave {
                duration: f64::from(look_ms) / 1000.0,
                scroll_depth: self.random.random_range(2..=10) * 10,
            });
            views.push(View {
                event_id: id(self.plan.seed, number, index + 1),
                occurred_at,
                path: "/",
                link_clicked,
                leave,
            });
            elapsed_ms += look_ms;
        }
        (views, elapsed_ms / 1000)
    }

    /// A link, the first ones most.
    fn link(&mut self) -> Option<Uuid> {
        let weighted: Vec<(u32, Uuid)> = (1..).zip(self.plan.links.iter().copied()).collect();
        if weighted.is_empty() {
            return None;
        }
        Some(pick(&mut self.random, &weighted, |(place, _)| 1_000 / place).1)
    }
}

/// Hours of a plan, each with its number of visits. The numbers grow towards the end of the plan
/// and follow the rhythm of days and weeks.
fn hours(plan: &Plan) -> Vec<(Timestamp, u32)> {
    let count = i64::from(plan.days) * 24;
    let end = plan.until - SignedDuration::from_mins(QUIET_MINUTES);
    let starts = (0..count).map(|index| end - SignedDuration::from_hours(count - index));
    let weights: Vec<(Timestamp, u64)> = (0..)
        .zip(starts)
        .map(|(index, start)| {
            let local = start.to_zoned(TimeZone::UTC);
            let hour = usize::try_from(local.hour()).unwrap_or(0);
            let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
            let growth = 100 + 80 * index / u64::from(plan.days * 24);
            let weight = u64::from(HOURS[hour]) * u64::from(WEEKDAYS[day]) * growth;
            (start, weight)
        })
        .collect();
    let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
    let (mut so_far, mut begun) = (0, 0);
    weights
        .into_iter()
        .map(|(start, weight)| {
            so_far += weight;
            // Rounds the running total, so that the counts add up exactly.
            let until_now = u64::from(plan.visits) * so_far / total.max(1);
            let count = until_now - begun;
            begun = until_now;
            (start, u32::try_from(count).unwrap_or(u32::MAX))
        })
        .collect()
}

fn pick<'a, T>(random: &mut StdRng, from: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
    let total: u32 = from.iter().map(&weight).sum();
    let mut left = random.random_range(0..total.max(1));
    from.iter()
        .find(|each| {
            let weight = weight(each);
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })
        .unwrap_or(&from[0])
}

fn agent(device: &Device, app: Option<&'static str>) -> String {
    match (device.in_app, app) {
        (Some(in_app), Some(app)) => format!("{in_app}{app}"),
        _ => device.browser.to_owned(),
    }
}

fn id(seed: u64, visit: u32, part: u32) -> Uuid {
    EventId::of_bytes(format!("footfall demo {seed} {visit} {part}").as_bytes()).0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some minutes in milliseconds"
)]
const fn whole(number: f64) -> u32 {
    number as u32
}

/// Visits as the text of an import, one line each.
pub struct Lines<V> {
    visits: V,
    line: Vec<u8>,
    read: usize,
}

impl<V: Iterator<Item = Visit>> Lines<V> {
    /// The lines of those visits.
    pub const fn new(visits: V) -> Self {
        Self {
            visits,
            line: Vec::new(),
            read: 0,
        }
    }
}

impl<V: Iterator<Item = Visit>> Read for Lines<V> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read == self.line.len() {
            self.line.clear();
            self.read = 0;
            if let Some(visit) = self.visits.next() {
                serde_json::to_writer(&mut self.line, &visit)?;
                self.line.push(b'\n');
            }
        }
        let mut rest = self.line.get(self.read..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn plan() -> Plan {
        Plan {
            page: Uuid::from_u128(1),
            links: (10..15).map(Uuid::from_u128).collect(),
            url: "https://bio.example/@demo".to_owned(),
            visits: 5_000,
            days: 28,
            until: "2027-03-05T12:00:00Z".parse().unwrap(),
            seed: 1,
        }
    }

    #[test]
    fn the_same_plan_makes_the_same_history_and_another_seed_other_ids() {
        let history: Vec<Visit> = Visits::new(plan()).history().collect();
        assert_eq!(history.len(), 5_000);
        assert!(history == Visits::new(plan()).history().collect::<Vec<_>>());
        let ids = history.iter().flat_map(|visit| {
            let views = visit.views.iter().map(|view| view.event_id);
            views.chain([visit.event_id])
        });
        let ids: BTreeSet<Uuid> = ids.collect();
        let other = Visits::new(Plan { seed: 2, ..plan() });
        assert!(other.history().all(|visit| !ids.contains(&visit.event_id)));
    }

    #[test]
    fn a_history_fills_its_days_and_ends_in_time() {
        let mut days: BTreeMap<String, u32> = BTreeMap::new();
        for visit in Visits::new(plan()).history() {
            let last = visit.views.last().unwrap();
            let gone = last.leave.map_or(0.0, |leave| leave.duration);
            let end = last.occurred_at + SignedDuration::from_secs_f64(gone);
            assert!(
                end <= plan().until
                    && visit.occurred_at >= plan().until - SignedDuration::from_hours(24 * 28 + 1)
            );
            assert!(visit.views.is_sorted_by_key(|view| view.occurred_at));
            *days
                .entry(visit.occurred_at.to_string()[..10].to_owned())
                .or_default() += 1;
        }
        assert_eq!(days.len(), 29);
        let whole: Vec<u32> = days.values().copied().skip(1).take(27).collect();
        assert!(
            whole.iter().all(|visits| (60..400).contains(visits)),
            "{whole:?}"
        );
    }

    #[test]
    fn people_come_back_leave_at_once_and_click_the_first_links_most() {
        let history: Vec<Visit> = Visits::new(plan()).history().collect();
        let share = |count: usize| count * 100 / history.len();
        let visitors: BTreeSet<&str> = history
            .iter()
            .map(|visit| visit.visitor_id.as_str())
            .collect();
        assert!(
            (60..85).contains(&share(visitors.len())),
            "{}",
            visitors.len()
        );
        let bounced = history
            .iter()
            .filter(|visit| visit.views.len() == 1)
            .count();
        assert!((40..50).contains(&share(bounced)), "{bounced}");
        let clicks = |link: u128| {
            let views = history.iter().flat_map(|visit| &visit.views);
            views
                .filter(|view| view.link_clicked == Some(Uuid::from_u128(link)))
                .count()
        };
        assert!(clicks(10) > clicks(11) && clicks(11) > clicks(14) && clicks(14) > 0);
        let campaigns = history
            .iter()
            .filter(|visit| visit.landing_url.contains("utm_"))
            .count();
        assert!((4..12).contains(&share(campaigns)), "{campaigns}");
    }
}
