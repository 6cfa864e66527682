//! Computes the expected answer of any report by its shape: plain loops over the raw rows in
//! memory.
//!
//! It reads a row of the catalogue in the words of the vocabulary (which fact, column and
//! aggregate) and shares no code with the report engine. The rules are those of
//! `docs/API-DESIGN.md`.

use crate::{
    ask::Ask,
    expected_file::file,
    oracle::{js_number, js_round, since},
    plain::{Price, aggregate, holds, meant, of_row},
    raw::{Row, Rows},
};
use api::catalog::{Dimension, Entity, Field, Format, Param, Scope, Series, Shape};
use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use schemas::analytics::{
    Buckets, Fact, Measure, Metric, Over, Predicate, Values, Visit, Without,
    facts::{PAGE_VIEWS, RECORDED_CLICKS, VISITS},
};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeMap};
use uuid::Uuid;

impl Rows {
    /// The expected answer: `data`, or the text of a file.
    ///
    /// # Panics
    /// If no client may send that question.
    #[must_use]
    pub fn expect(&self, ask: &Ask, now: Timestamp) -> Value {
        let since = since(now, ask.days);
        let window = Cut::new(self, ask, since, None);
        let mut data = window.answer();
        if ask.compare {
            let span = SignedDuration::from_hours(24 * ask.days);
            let before = Cut::new(self, ask, since - span, Some(since));
            let (previous, change) = window.compare(&before);
            data.insert("previous".to_owned(), Value::Object(previous));
            data.insert("change".to_owned(), Value::Object(change));
        }
        match ask.report.format {
            Format::Json => Value::Object(data),
            Format::Csv => json!(file(ask, &data)),
        }
    }
}

/// A number that is null in JSON.
const NULL: f64 = f64::NAN;

/// The condition that `includeBots` takes away from clicks.
const NO_BOTS: Predicate = Predicate::Absent("bot_reason");

/// A bucket of time: its place among the others, and its name. Empty if the rows are not of time.
pub(crate) type Bucket = (i64, String);

/// Numbers under their names in the response.
pub(crate) type Numbers = Vec<(&'static str, f64)>;

/// The rows that a question covers.
pub(crate) struct Cut<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) ask: &'a Ask,
    pub(crate) since: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) zone: TimeZone,
    page: Value,
    /// The currency of amounts.
    pub(crate) money: Money,
    /// Whether the filters of the request apply.
    pub(crate) filtered: bool,
    /// What campaigns charge.
    pub(crate) prices: Vec<Price>,
    /// The only links that count, if not all do.
    pub(crate) links: Option<Vec<Value>>,
    /// Totals that are already computed, by measure. Each row of a list needs those of its ratios.
    totals: RefCell<BTreeMap<&'static str, f64>>,
}

/// The currency of amounts.
#[derive(Clone, Copy, Debug)]
pub struct Money {
    /// Its code.
    pub code: &'static str,
    /// Minor units of one unit.
    pub minor: f64,
    /// Dollars for one unit.
    pub rate: f64,
}

/// US dollars.
pub const DOLLARS: Money = Money {
    code: "USD",
    minor: 100.0,
    rate: 1.0,
};

/// A row of an answer before it is serialized.
pub(crate) struct Line {
    pub(crate) bucket: Bucket,
    pub(crate) label: String,
    pub(crate) numbers: BTreeMap<&'static str, f64>,
}

impl<'a> Cut<'a> {
    pub(crate) fn new(
        rows: &'a Rows,
        ask: &'a Ask,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Self {
        Self {
            rows,
            ask,
            since,
            until,
            zone: TimeZoneDatabase::bundled().get(ask.zone).unwrap(),
            page: json!(ask.page),
            money: DOLLARS,
            filtered: true,
            prices: Vec::new(),
            links: None,
            totals: RefCell::default(),
        }
    }

    /// The rows that a measure counts.
    fn of(&self, measure: &Measure) -> Vec<&'a Row> {
        let fact = measure.fact;
        let mut predicates: Vec<Predicate> = measure.only.into_iter().collect();
        // A part of a fact has the conditions of the whole as well.
        let mut part = Some(fact);
        while let Some(fact) = part {
            let bots = self.ask.of_links.bots;
            let only = fact.only.iter();
            predicates.extend(only.filter(|only| !bots || **only != NO_BOTS));
            part = fact.part_of;
        }
        let rows = self.rows.tables[fact.table].iter();
        rows.filter(|row| predicates.iter().all(|predicate| holds(*predicate, row)))
            .filter(|row| row.at >= self.since && self.until.is_none_or(|until| row.at < until))
            .filter(|row| self.is_in_scope(row, fact) && self.is_within(row))
            .filter(|row| !self.filtered || self.is_wanted(row, fact))
            .collect()
    }

    fn is_in_scope(&self, row: &Row, fact: &'static Fact) -> bool {
        match self.ask.report.scope {
            Scope::Page => *row.get("page_id") == self.page,
            Scope::Link => *row.get("link_id") == self.page,
            Scope::Qr => *row.get("qr_id") == self.page,
            Scope::Campaign => *row.get("campaign_id") == self.page,
            // Clicks on short links are on no page.
            Scope::Workspace => fact.whole().id != PAGE_VIEWS.id || !row.get("page_id").is_null(),
        }
    }

    /// What a request narrows a report of links to.
    fn is_within(&self, row: &Row) -> bool {
        let asked = &self.ask.of_links;
        let links = self.links.as_ref();
        [("campaign_id", asked.campaign), ("link_id", asked.link)]
            .into_iter()
            .all(|(column, id)| id.is_none_or(|id| *row.get(column) == json!(id)))
            && links.is_none_or(|links| links.contains(row.get("link_id")))
    }

    fn is_wanted(&self, row: &Row, fact: &Fact) -> bool {
        self.ask.filters.iter().all(|(name, elements)| {
            let filters = self.ask.report.filters.iter();
            let filter = filters.copied().find(|filter| filter.id == *name);
            let filter = filter.unwrap();
            let is = |element: &str| {
                let value = meant(filter, element);
                let same = |dimension: &Dimension| {
                    let stored = self.value(row, fact, dimension);
                    let stored = stored.unwrap_or_else(|| dimension.null_label.to_owned());
                    match filter.values {
                        Values::Words(_) | Values::Countries | Values::Known => {
                            stored.eq_ignore_ascii_case(&value)
                        }
                        Values::Any | Values::Few => stored == value,
                    }
                };
                same(filter) || filter.also.is_some_and(same)
            };
            let (not, one_of): (Vec<&String>, Vec<&String>) = elements
                .iter()
                .partition(|element| element.starts_with('-'));
            (one_of.is_empty() || one_of.iter().any(|element| is(element)))
                && !not.iter().any(|element| is(&element[1..]))
        })
    }

    /// The value of a dimension, from the row itself or else from its visit.
    pub(crate) fn value(&self, row: &Row, fact: &Fact, dimension: &Dimension) -> Option<String> {
        let column = |fact: &Fact| {
            let mut columns = dimension.columns.iter();
            columns
                .find(|(holder, _)| fact.id == holder.id || fact.part_of == Some(holder))
                .map(|(_, column)| *column)
        };
        if let Some(own) = column(fact) {
            return row.text(own);
        }
        if let Visit::ByClick { id, .. } = fact.visit {
            let click = row.text(id).filter(|_| !row.get("link_id").is_null())?;
            let mut clicks = self.rows.tables[RECORDED_CLICKS.table].iter();
            let click = clicks.find(|hit| hit.text(id).as_deref() == Some(&*click));
            return click.unwrap().text(column(&RECORDED_CLICKS).unwrap());
        }
        let Visit::By(by) = fact.visit else {
            panic!("{} has no {}", fact.id, dimension.id)
        };
        let visit = &self.rows.visits[&row.text(by).unwrap()];
        visit.text(column(&VISITS).unwrap())
    }

    pub(crate) fn total(&self, measure: &Measure) -> f64 {
        let known = self.totals.borrow().get(measure.id).copied();
        known.unwrap_or_else(|| {
            let total = aggregate(measure.aggregate, &self.of(measure), &self.prices);
            self.totals.borrow_mut().insert(measure.id, total);
            total
        })
    }

    /// The rows of an answer by bucket and label. Rows without a label are dropped.
    pub(crate) fn lines(
        &self,
        fields: &[Field],
        bucket: impl Fn(&Row) -> Bucket,
        label: impl Fn(&Row, &Fact) -> Option<String>,
    ) -> Vec<Line> {
        let mut lines: BTreeMap<(Bucket, String), BTreeMap<&'static str, f64>> = BTreeMap::new();
        for measure in fields.iter().flat_map(|field| of_row(field.metric)) {
            let mut groups: BTreeMap<(Bucket, String), Vec<&Row>> = BTreeMap::new();
            for row in self.of(measure) {
                if let Some(label) = label(row, measure.fact) {
                    let key = (bucket(row), label);
                    groups.entry(key).or_default().push(row);
                }
            }
            for (key, rows) in groups {
                let number = aggregate(measure.aggregate, &rows, &self.prices);
                lines.entry(key).or_default().insert(measure.id, number);
            }
        }
        let line = |((bucket, label), numbers)| Line {
            bucket,
            label,
            numbers,
        };
        lines.into_iter().map(line).collect()
    }

    /// Sorts by the first number, largest first. Sorting is stable: ties keep the order of their
    /// labels' bytes.
    pub(crate) fn ranked(
        &self,
        fields: &[Field],
        mut lines: Vec<Line>,
        top: Option<u16>,
    ) -> Vec<Line> {
        lines.sort_by(|a, b| {
            let [a, b] = [a, b].map(|line| self.number(fields[0].metric, &line.numbers, &[]));
            b.total_cmp(&a)
        });
        lines.truncate(top.map_or(usize::MAX, usize::from));
        lines
    }

    fn slots(&self, series: &Series) -> Vec<Line> {
        let bucket = |row: &Row| {
            let local = row.at.to_zoned(self.zone.clone());
            match series.buckets {
                Buckets::Day => (0, format!("{}T00:00:00.000Z", local.date())),
                Buckets::Hour | Buckets::Month => panic!("not a report of creators"),
                Buckets::HourOfWeek => (
                    local.weekday().to_monday_zero_offset().into(),
                    local.strftime("%a %H:00").to_string(),
                ),
            }
        };
        let label = |row: &Row, fact: &Fact| {
            Some(series.by.map_or_else(String::new, |(_, dimension)| {
                let value = self.value(row, fact, dimension);
                value.unwrap_or_else(|| dimension.null_label.to_owned())
            }))
        };
        self.lines(series.metrics, bucket, label)
    }

    fn answer(&self) -> Map<String, Value> {
        let mut data = Map::new();
        match self.ask.shape() {
            Shape::Choice(_) => panic!("a choice within a choice"),
            Shape::Board(_) => panic!("boards have a test of their own"),
            Shape::Total(total) => {
                self.add_totals(&mut data, total.metrics);
                self.add_echo(&mut data, total.echo);
            }
            Shape::Series(series) => {
                self.add_echo(&mut data, series.echo);
                let list = self.series(series);
                data.insert(series.list.to_owned(), list);
            }
            Shape::Breakdown(breakdown) => {
                self.add_echo(&mut data, breakdown.echo);
                let dimension = breakdown.dimension;
                let label = |row: &Row, fact: &Fact| {
                    let value = self.value(row, fact, dimension);
                    Some(value.unwrap_or_else(|| dimension.null_label.to_owned()))
                };
                let lines = self.lines(breakdown.metrics, |_| Bucket::default(), label);
                let lines = self.ranked(breakdown.metrics, lines, breakdown.top);
                let list = self.written(&lines, breakdown.metrics, |line, row| {
                    row.insert(breakdown.label.to_owned(), json!(line.label));
                });
                data.insert(breakdown.list.to_owned(), list);
            }
            Shape::Ranking(ranking) => {
                let label = |row: &Row, fact: &Fact| {
                    let id: Uuid = self.value(row, fact, ranking.dimension)?.parse().unwrap();
                    // All links that never belonged to the caller share one row.
                    let ours = self.rows.names.contains_key(&id);
                    Some(if ours { id } else { Uuid::nil() }.to_string())
                };
                let lines = self.lines(ranking.metrics, |_| Bucket::default(), label);
                let lines = self.ranked(ranking.metrics, lines, None);
                let list =
                    self.written(&lines, ranking.metrics, |line, row| match ranking.entity {
                        Entity::Link => {
                            let name = self.rows.names.get(&line.label.parse().unwrap());
                            let unknown = ("Unknown".to_owned(), String::new());
                            let (title, url) = name.cloned().flatten().unwrap_or(unknown);
                            row.insert("id".to_owned(), json!(line.label));
                            row.insert("title".to_owned(), json!(title));
                            row.insert("url".to_owned(), json!(url));
                        }
                    });
                data.insert(ranking.list.to_owned(), list);
                self.add_totals(&mut data, ranking.totals);
            }
        }
        data
    }

    fn series(&self, series: &Series) -> Value {
        let lines = self.slots(series);
        self.written(&lines, series.metrics, |line, row| {
            row.insert(series.label.to_owned(), json!(line.bucket.1));
            if let Some((name, _)) = series.by {
                row.insert(name.to_owned(), json!(line.label));
            }
        })
    }

    pub(crate) fn written(
        &self,
        lines: &[Line],
        fields: &[Field],
        name: impl Fn(&Line, &mut Map<String, Value>),
    ) -> Value {
        let row = |line: &Line| {
            let mut row = Map::new();
            name(line, &mut row);
            for field in fields {
                let number = self.number(field.metric, &line.numbers, lines);
                row.insert(field.name.to_owned(), js_number(number));
            }
            Value::Object(row)
        };
        lines.iter().map(row).collect()
    }

    pub(crate) fn number(
        &self,
        metric: &Metric,
        numbers: &BTreeMap<&str, f64>,
        all: &[Line],
    ) -> f64 {
        let of = |numbers: &BTreeMap<&str, f64>, measure: &Measure| {
            numbers.get(measure.id).copied().unwrap_or(0.0)
        };
        match metric {
            Metric::Plain(measure) | Metric::Moment(measure) => of(numbers, measure),
            Metric::Amount(amount) => {
                let rows = amount.per.map_or(1.0, |rows| of(numbers, rows));
                if rows == 0.0 {
                    return match amount.without {
                        Without::Zero => 0.0,
                        Without::Null => NULL,
                    };
                }
                let sum =
                    |of_all: &[&Measure]| of_all.iter().map(|one| of(numbers, one)).sum::<f64>();
                let Money { minor, rate, .. } = self.money;
                // One division of exact numbers, so that a tie is one.
                let micros = sum(amount.plus) - sum(amount.minus);
                js_round(micros * minor / (rows * rate * 1e6)) / minor
            }
            Metric::Yield(shown) => {
                let sum =
                    |of_all: &[&Measure]| of_all.iter().map(|one| of(numbers, one)).sum::<f64>();
                let (earned, cost) = (sum(shown.earned), sum(shown.cost));
                if cost == 0.0 {
                    return NULL;
                }
                js_round((earned - cost) / cost * shown.rounding.scale) / shown.rounding.unit
            }
            Metric::Ratio(ratio) => {
                let whole = match ratio.over {
                    Over::Scope => self.total(ratio.denominator),
                    Over::ReturnedRows => {
                        let rows = all.iter();
                        rows.map(|line| of(&line.numbers, ratio.denominator)).sum()
                    }
                };
                let part = of(numbers, ratio.numerator);
                if whole == 0.0 {
                    return 0.0;
                }
                js_round(part / whole * ratio.rounding.scale) / ratio.rounding.unit
            }
        }
    }

    pub(crate) fn totals(&self, fields: &[Field]) -> Numbers {
        let number = |field: &Field| {
            let measures = of_row(field.metric).into_iter();
            let numbers = measures.map(|measure| (measure.id, self.total(measure)));
            (
                field.name,
                self.number(field.metric, &numbers.collect(), &[]),
            )
        };
        fields.iter().map(number).collect()
    }

    fn add_totals(&self, data: &mut Map<String, Value>, fields: &[Field]) {
        for (name, number) in self.totals(fields) {
            data.insert(name.to_owned(), js_number(number));
        }
    }

    fn add_echo(&self, data: &mut Map<String, Value>, echo: &[Param]) {
        for param in echo {
            let value = match param {
                Param::Days => json!(self.ask.days),
                Param::Dimension | Param::Export => json!(self.ask.choice),
                other => panic!("{other:?} is not repeated"),
            };
            data.insert(self.ask.report.param_name(*param).to_owned(), value);
        }
    }

    /// The previous window, and the change of each number in percent.
    fn compare(&self, before: &Self) -> (Map<String, Value>, Map<String, Value>) {
        let (previous, numbers) = match self.ask.shape() {
            Shape::Total(total) => {
                let numbers = [self, before].map(|cut| cut.totals(total.metrics));
                let mut previous = Map::new();
                before.add_totals(&mut previous, total.metrics);
                (previous, numbers)
            }
            Shape::Series(series) => {
                let sums = |cut: &Self| -> Numbers {
                    let lines = cut.slots(series);
                    let sum = |field: &Field| {
                        let numbers = lines.iter();
                        let sum =
                            numbers.map(|line| cut.number(field.metric, &line.numbers, &lines));
                        (field.name, sum.sum())
                    };
                    series.metrics.iter().map(sum).collect()
                };
                let list = (series.list.to_owned(), before.series(series));
                (Map::from_iter([list]), [sums(self), sums(before)])
            }
            other => panic!("no window before {other:?}"),
        };
        let [now, then] = numbers;
        let change = now.into_iter().zip(then).map(|((name, now), (_, then))| {
            let percent = js_round((now - then) / then * 10_000.0) / 100.0;
            let change = if then == 0.0 {
                Value::Null
            } else {
                js_number(percent)
            };
            (name.to_owned(), change)
        });
        (previous, change.collect())
    }
}
