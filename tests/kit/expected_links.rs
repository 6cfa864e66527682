//! Computes the expected answers of reports about links: plain loops over the raw rows in memory.
//!
//! Like `expected`, it shares no code with the report engine. What the main database knows of links
//! and campaigns is given.

use crate::{
    ask::Ask,
    expected::{Bucket, Cut, Line, Money, Numbers},
    oracle::{js_number, js_round},
    plain::Price,
    raw::{Row, Rows},
};
use api::catalog::{
    Board, Breakdown, Count, Dimension, Field, Leaders, Param, Part, Peak, Series, Shape, Thing,
    Things,
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use schemas::analytics::{Buckets, Fact};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// What answers say of links and campaigns besides numbers.
#[derive(Clone, Debug)]
pub struct Known {
    /// Links: `shortCode`, `title`, `campaignId`, `deleted`.
    pub links: HashMap<Uuid, Value>,
    /// Campaigns: `name`, `deleted`.
    pub campaigns: HashMap<Uuid, Value>,
    /// What campaigns charge.
    pub prices: Vec<Price>,
    /// How many campaigns charge in a currency without a rate.
    pub unpriced: f64,
    /// The links that redirect.
    pub active: Vec<Uuid>,
    /// The names of rules.
    pub rules: HashMap<Uuid, &'static str>,
    /// Links and QR codes as a report about one shows them, without what their clicks tell.
    pub subjects: HashMap<Uuid, Value>,
    /// The links in each folder, and with each tag.
    pub groups: HashMap<Uuid, Vec<Uuid>>,
    /// The currencies that a request may name, with their rates.
    pub currencies: Vec<Money>,
}

/// A window, and how many days back the one before it is.
#[derive(Clone, Copy)]
struct Span {
    since: Timestamp,
    until: Timestamp,
    days_back: Option<i64>,
}

impl Rows {
    /// The expected answer.
    ///
    /// # Panics
    /// If no client may send that question.
    #[must_use]
    pub fn expect_of_links(&self, ask: &Ask, known: &Known, now: Timestamp) -> Value {
        let zone = TimeZone::get(ask.zone).unwrap();
        let span = window(ask, &zone, now);
        let cut = |span: Span| self.cut(ask, known, span.since, Some(span.until));
        let now_cut = cut(span);
        let meta = now_cut.meta(span, now, known.unpriced);
        let data = match &ask.report.shape {
            Shape::Series(series) => now_cut.series_of_links(series),
            Shape::Board(board) => {
                let before = before(ask, span, &zone);
                let previous = before.map(|span| (span, cut(span)));
                now_cut.board(board, known, previous.as_ref())
            }
            other => panic!("no report of links is {other:?}"),
        };
        json!({ "success": true, "data": data, "meta": meta })
    }

    fn cut<'a>(
        &'a self,
        ask: &'a Ask,
        known: &Known,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Cut<'a> {
        let mut cut = Cut::new(self, ask, since, until);
        cut.prices.clone_from(&known.prices);
        if let Some(code) = ask.of_links.currency {
            let mut currencies = known.currencies.iter();
            cut.money = *currencies.find(|money| money.code == code).unwrap();
        }
        if let Some((_, groups)) = &ask.of_links.groups {
            let links = groups.iter().flat_map(|group| &known.groups[group]);
            cut.links = Some(links.map(|link| json!(link)).collect());
        }
        cut
    }
}

/// An instant in microseconds since 1970, or null for 0.
fn instant(micros: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole")]
    let at = Timestamp::from_microsecond(micros as i64).unwrap();
    let text = at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    if at == Timestamp::UNIX_EPOCH {
        Value::Null
    } else {
        json!(text)
    }
}

/// The first instant of a local day.
fn begin(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned(zone.clone()).unwrap().timestamp()
}

fn window(ask: &Ask, zone: &TimeZone, now: Timestamp) -> Span {
    let date = |text: &str| text.parse::<Date>().unwrap();
    let after_end = |text: &str| begin(date(text).tomorrow().unwrap(), zone);
    let just_after = now + SignedDuration::from_micros(1);
    let until = ask.of_links.end.map_or(just_after, after_end);
    let last = until - SignedDuration::from_micros(1);
    let since = ask.of_links.start.map(|text| begin(date(text), zone));
    let today = last.to_zoned(zone.clone()).date();
    let ago = |days: i64| begin(today - (days - 1).days(), zone);
    let first = |month: i8| begin(Date::constant(today.year(), month, 1), zone);
    let quarter = [1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10];
    let named = ask.of_links.interval.map(|interval| match interval {
        "24h" => {
            let hour = bucket(Buckets::Hour, last, zone).0;
            Timestamp::from_second(hour - 23 * 3_600).unwrap()
        }
        "7d" => ago(7),
        "30d" => ago(30),
        "90d" => ago(90),
        "1y" => ago(365),
        "mtd" => first(today.month()),
        "qtd" => first(quarter[usize::try_from(today.month()).unwrap() - 1]),
        "ytd" => first(1),
        "all" => Timestamp::UNIX_EPOCH,
        other => panic!("no interval {other}"),
    });
    let since = since.or(named).unwrap_or_else(|| ago(ask.days));
    let by_days = ask.of_links.start.is_none() && ask.of_links.end.is_none();
    let first_day = since.to_zoned(zone.clone()).date();
    let days = i64::from(today.since(first_day).unwrap().get_days()) + 1;
    Span {
        since,
        until,
        days_back: Some(days).filter(|_| by_days && ask.of_links.interval != Some("24h")),
    }
}

/// The window to compare with.
fn before(ask: &Ask, span: Span, zone: &TimeZone) -> Option<Span> {
    let back = |at: Timestamp, by: jiff::Span| {
        let there = at.to_zoned(zone.clone()).checked_sub(by);
        there.unwrap().timestamp()
    };
    let length = span.until.duration_since(span.since);
    let (since, until) = match ask.of_links.compare.unwrap_or("previous") {
        "none" => return None,
        _ if ask.of_links.interval == Some("all") => return None,
        "yoy" => (back(span.since, 1.year()), back(span.until, 1.year())),
        _ => match span.days_back {
            Some(days) => (back(span.since, days.days()), back(span.until, days.days())),
            None if ask.of_links.interval == Some("24h") => {
                let day = SignedDuration::from_hours(24);
                (span.since - day, span.until - day)
            }
            None => (span.since - length, span.since),
        },
    };
    Some(Span {
        since,
        until,
        ..span
    })
}

/// The local hour, day or month of an instant.
fn bucket(buckets: Buckets, at: Timestamp, zone: &TimeZone) -> Bucket {
    let local = at.to_zoned(zone.clone());
    let date = local.date();
    let midnight = |date: Date| date.to_datetime(jiff::civil::Time::midnight());
    let days = |date: Date| {
        let epoch = Date::constant(1970, 1, 1);
        i64::from(date.since(epoch).unwrap().get_days())
    };
    let (place, begin) = match buckets {
        Buckets::Hour => {
            // An hour that clocks repeat begins at another instant.
            let into = i64::from(local.minute()) * 60 + i64::from(local.second());
            (at.as_second() - into, date.at(local.hour(), 0, 0, 0))
        }
        Buckets::Day => (days(date), midnight(date)),
        Buckets::Month => {
            let first = date.first_of_month();
            (days(first), midnight(first))
        }
        Buckets::HourOfWeek => panic!("not in a report of links"),
    };
    (place, begin.strftime("%Y-%m-%dT%H:%M:%S.000").to_string())
}

impl Cut<'_> {
    /// Every bucket of the window from an instant on, found by a walk in steps of a quarter of an
    /// hour.
    fn buckets(&self, buckets: Buckets, mut at: Timestamp) -> Vec<Bucket> {
        let mut all = Vec::new();
        while at < self.until.unwrap() {
            let this = bucket(buckets, at, &self.zone);
            if all.last() != Some(&this) {
                all.push(this);
            }
            let quarter = at.as_second().div_euclid(900) + 1;
            at = Timestamp::from_second(quarter * 900).unwrap();
        }
        all
    }

    fn granularity(&self) -> Buckets {
        let asked = &self.ask.of_links;
        let word = asked.granularity.unwrap_or(match asked.interval {
            Some("24h") => "hour",
            Some("1y" | "all") => "month",
            _ => "day",
        });
        let sizes = Buckets::SIZES.into_iter();
        sizes.into_iter().find(|size| size.name() == word).unwrap()
    }

    fn series_of_links(&self, series: &Series) -> Map<String, Value> {
        let mut data = Map::new();
        self.echo(&mut data, series.echo);
        let size = self.granularity();
        let place = |row: &Row| bucket(size, row.at, &self.zone);
        let found = self.lines(series.metrics, place, |_, _| Some(String::new()));
        let mut found: BTreeMap<Bucket, Line> = found
            .into_iter()
            .map(|line| (line.bucket.clone(), line))
            .collect();
        let mut from = self.since;
        if self.ask.of_links.interval == Some("all") {
            // From the first month that has anything, or else the present one.
            let present = self.until.unwrap() - SignedDuration::from_micros(1);
            let first = found.keys().next().map(|(days, _)| {
                let epoch = Date::constant(1970, 1, 1);
                begin(epoch + days.days(), &self.zone)
            });
            from = first.unwrap_or(present);
        }
        let buckets = self.buckets(size, from);
        let lines = buckets.into_iter().map(|bucket| {
            found.remove(&bucket).unwrap_or_else(|| Line {
                bucket,
                label: String::new(),
                numbers: BTreeMap::new(),
            })
        });
        let lines: Vec<Line> = lines.collect();
        assert!(found.is_empty(), "rows outside all buckets");
        let list = self.written(&lines, series.metrics, |line, row| {
            row.insert(series.label.to_owned(), json!(line.bucket.1));
        });
        data.insert(series.list.to_owned(), list);
        data
    }

    fn board(
        &self,
        board: &Board,
        known: &Known,
        previous: Option<&(Span, Cut<'_>)>,
    ) -> Map<String, Value> {
        let mut data = Map::new();
        for part in board.parts {
            match part {
                Part::Subject(of) => {
                    let mut subject = known.subjects[&self.ask.page].clone();
                    for (name, micros) in self.ever().totals(of.ever) {
                        subject[name] = instant(micros);
                    }
                    data.insert(of.name.to_owned(), subject);
                }
                Part::Numbers(numbers) => {
                    let mut all = self.object(numbers.metrics);
                    for (name, count) in numbers.counts {
                        all[*name] = json!(self.count(*count, known));
                    }
                    data.insert(numbers.name.to_owned(), all);
                    if let Some((span, before)) = previous {
                        self.add_comparison(&mut data, numbers.metrics, *span, before);
                    }
                }
                Part::Ever(name, metrics) => {
                    data.insert((*name).to_owned(), self.ever().object(metrics));
                }
                Part::Series(series) => data.extend(self.series_of_links(series)),
                Part::Values(breakdown) => self.add_values(&mut data, breakdown),
                Part::Things(things) => self.add_things(&mut data, things, known),
                Part::Leaders(leaders) => self.add_leaders(&mut data, leaders, known),
                Part::Peak(peak) => self.add_peak(&mut data, peak),
            }
        }
        self.echo(&mut data, board.echo);
        data
    }

    /// The rows of all time, regardless of the filters.
    fn ever(&self) -> Self {
        let mut ever = Cut::new(self.rows, self.ask, Timestamp::UNIX_EPOCH, None);
        (ever.money, ever.filtered) = (self.money, false);
        ever
    }

    fn meta(&self, span: Span, now: Timestamp, unpriced: f64) -> Value {
        let last = span.until - SignedDuration::from_micros(1);
        let text = |at: Timestamp| json!(at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
        let mut range =
            json!({ "start": text(span.since), "end": text(last), "timezone": self.ask.zone });
        if self.ask.report.params.contains(&Param::Granularity) {
            range["granularity"] = json!(self.granularity().name());
        }
        let mut meta = json!({ "range": range, "generatedAt": text(now) });
        for (name, number) in self.totals(self.ask.report.meta.unwrap()) {
            meta[name] = js_number(number + unpriced);
        }
        meta
    }

    /// What the main database has of these things, within the same campaign and links.
    fn count(&self, count: Count, known: &Known) -> usize {
        let asked = &self.ask.of_links;
        let narrowed = asked.link.is_some() || self.links.is_some();
        let is_there = |of: &Value| of["deleted"] == false;
        let is_within = |(id, link): &(&Uuid, &Value)| {
            let links = self.links.as_ref();
            let of_campaign = asked
                .campaign
                .is_none_or(|id| link["campaignId"] == json!(id));
            asked.link.is_none_or(|link| link == **id)
                && links.is_none_or(|links| links.contains(&json!(id)))
                && of_campaign
        };
        let links = known.links.iter().filter(|(_, link)| is_there(link));
        let links: Vec<(&Uuid, &Value)> = links.filter(is_within).collect();
        let has_link = |campaign: &Uuid| {
            let named = known.links.iter().filter(|(_, link)| is_there(link));
            let mut named = named.filter(|(id, _)| {
                let of_group = self.links.as_ref();
                asked.link.is_none_or(|link| link == **id)
                    && of_group.is_none_or(|links| links.contains(&json!(id)))
            });
            named.any(|(_, link)| link["campaignId"] == json!(campaign))
        };
        match count {
            Count::Links => links.len(),
            Count::ActiveLinks => {
                let active = links.iter().filter(|(id, _)| known.active.contains(id));
                active.count()
            }
            Count::Campaigns => {
                let campaigns = known.campaigns.iter();
                let campaigns = campaigns.filter(|(id, campaign)| {
                    is_there(campaign)
                        && asked.campaign.is_none_or(|asked| asked == **id)
                        && (!narrowed || has_link(id))
                });
                campaigns.count()
            }
        }
    }

    fn object(&self, metrics: &[Field]) -> Value {
        let mut numbers = Map::new();
        for (name, number) in self.totals(metrics) {
            numbers.insert(name.to_owned(), js_number(number));
        }
        Value::Object(numbers)
    }

    fn add_comparison(
        &self,
        data: &mut Map<String, Value>,
        metrics: &[Field],
        span: Span,
        before: &Cut<'_>,
    ) {
        let [now, then]: [Numbers; 2] = [self, before].map(|cut| cut.totals(metrics));
        let mut previous = before.object(metrics);
        let last = span.until - SignedDuration::from_micros(1);
        for (name, at) in [("start", span.since), ("end", last)] {
            let day = at.to_zoned(self.zone.clone()).date();
            previous[name] = json!(day.to_string());
        }
        let change = now.into_iter().zip(then).map(|((name, now), (_, then))| {
            let percent = js_round((now - then) / then * 1_000.0) / 10.0;
            let change = if then == 0.0 {
                Value::Null
            } else {
                js_number(percent)
            };
            (name.to_owned(), change)
        });
        let change: Map<String, Value> = change.collect();
        data.insert("previous".to_owned(), previous);
        data.insert("change".to_owned(), Value::Object(change));
    }

    /// The largest values of a dimension, by the first number.
    fn largest(&self, dimension: &Dimension, fields: &[Field], top: Option<u16>) -> Vec<Line> {
        let label = |row: &Row, fact: &Fact| {
            let value = self.value(row, fact, dimension);
            Some(value.unwrap_or_else(|| dimension.null_label.to_owned()))
        };
        let lines = self.lines(fields, |_| Bucket::default(), label);
        self.ranked(fields, lines, top)
    }

    fn add_values(&self, data: &mut Map<String, Value>, breakdown: &Breakdown) {
        let lines = self.largest(breakdown.dimension, breakdown.metrics, breakdown.top);
        let list = self.written(&lines, breakdown.metrics, |line, row| {
            row.insert(breakdown.label.to_owned(), json!(line.label));
        });
        data.insert(breakdown.list.to_owned(), list);
    }

    fn add_things(&self, data: &mut Map<String, Value>, things: &Things, known: &Known) {
        let label = |row: &Row, fact: &Fact| self.value(row, fact, things.dimension);
        let lines = self.lines(things.metrics, |_| Bucket::default(), label);
        let lines = self.ranked(things.metrics, lines, Some(things.top));
        let (id, names, members): (_, _, &[&str]) = match things.thing {
            Thing::Link => (
                "linkId",
                &known.links,
                &["shortCode", "title", "campaignId"],
            ),
            Thing::Campaign => ("campaignId", &known.campaigns, &["name"]),
            Thing::Rule => panic!("no list of rules"),
        };
        let list = self.written(&lines, things.metrics, |line, row| {
            let name = names.get(&line.label.parse().unwrap());
            row.insert(id.to_owned(), json!(line.label));
            for member in members {
                let value = name.map_or(&Value::Null, |name| &name[*member]);
                row.insert((*member).to_owned(), value.clone());
            }
            let deleted = name.map_or(&Value::Bool(true), |name| &name["deleted"]);
            row.insert("deleted".to_owned(), deleted.clone());
        });
        data.insert(things.list.to_owned(), list);
    }

    fn add_leaders(&self, data: &mut Map<String, Value>, leaders: &Leaders, known: &Known) {
        let mut all = Map::new();
        for leader in leaders.of {
            let first = self.largest(leader.dimension, leaders.by, Some(1)).pop();
            let label = first.map(|line| line.label);
            let rule = label.as_ref().and_then(|label| label.parse().ok());
            let rule = rule.and_then(|id: Uuid| known.rules.get(&id).copied());
            let name = rule.map(str::to_owned).or(label);
            all.insert(leader.name.to_owned(), json!(name));
        }
        data.insert(leaders.name.to_owned(), Value::Object(all));
    }

    fn add_peak(&self, data: &mut Map<String, Value>, peak: &Peak) {
        let place = |row: &Row| bucket(peak.buckets, row.at, &self.zone);
        let mut lines = self.lines(peak.metrics, place, |_, _| Some(String::new()));
        lines.sort_by(|a, b| a.bucket.cmp(&b.bucket));
        let lines = self.ranked(peak.metrics, lines, Some(1));
        let list = self.written(&lines, peak.metrics, |line, row| {
            row.insert(peak.label.to_owned(), json!(line.bucket.1));
        });
        data.insert(
            peak.name.to_owned(),
            list.get(0).cloned().unwrap_or_default(),
        );
    }

    fn echo(&self, data: &mut Map<String, Value>, echo: &[Param]) {
        for param in echo {
            let value = match param {
                Param::Currency => json!(self.money.code),
                Param::Granularity => json!(self.granularity().name()),
                other => panic!("{other:?} is not repeated"),
            };
            data.insert(self.ask.report.param_name(*param).to_owned(), value);
        }
    }
}
