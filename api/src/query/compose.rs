//! Turns an answer's numbers and names into the object that its row describes.

use super::{
    asked::Asked,
    names::Names,
    object::{Node, Object},
};
use crate::{
    catalog::{Breakdown, Entity, Field, Notation, Param, Series, Shape},
    instant::iso_micros,
    number::Number,
    sources::{Answer, Row, Values},
};
use jiff::Timestamp;
use schemas::analytics::{Buckets, Measure, Metric, Over, Without, metrics::COUNT_OF_UNCONVERTED};

/// The title of a deleted link, and of all links of others together.
const UNKNOWN_TITLE: &str = "Unknown";

/// The `data` of a report.
pub(super) fn compose(
    shape: &Shape,
    notation: Notation,
    asked: &Asked,
    answer: &Answer,
    names: &Names,
) -> Object {
    let mut object = Object::default();
    match shape {
        // A choice is resolved before anything is read, and boards are composed of their parts.
        Shape::Choice(_) | Shape::Board(_) => {}
        Shape::Total(total) => {
            add_fields(&mut object, total.metrics, &answer.totals, answer);
            add_echo(&mut object, total.echo, notation, asked, answer);
        }
        Shape::Series(series) => {
            add_echo(&mut object, series.echo, notation, asked, answer);
            object.add(series.list, Node::List(slots(series, notation, answer)));
        }
        Shape::Breakdown(breakdown) => {
            add_echo(&mut object, breakdown.echo, notation, asked, answer);
            add_values(&mut object, breakdown, answer);
        }
        Shape::Ranking(ranking) => {
            let rows = answer.rows.iter().map(|found| {
                let mut row = Object::default();
                add_name(&mut row, ranking.entity, &found.label, names);
                add_fields(&mut row, ranking.metrics, &found.values, answer);
                row
            });
            object.add(ranking.list, Node::List(rows.collect()));
            add_fields(&mut object, ranking.totals, &answer.totals, answer);
        }
    }
    object
}

/// Adds the previous window, and the change of each number since then, in percent.
pub(super) fn compare(
    object: &mut Object,
    shape: &Shape,
    notation: Notation,
    answer: &Answer,
    before: &Answer,
) {
    let mut previous = Object::default();
    let mut change = Object::default();
    match shape {
        Shape::Total(total) => {
            add_fields(&mut previous, total.metrics, &before.totals, before);
            for field in total.metrics {
                let value = |of: &Answer| number(field.metric, &of.totals, of);
                let change_of = percent(notation, value(answer), value(before));
                change.add(field.name, change_of);
            }
        }
        Shape::Series(series) => {
            previous.add(series.list, Node::List(slots(series, notation, before)));
            for field in series.metrics {
                let sum = |of: &Answer| {
                    let values = of.rows.iter();
                    let numbers = values.filter_map(|row| number(field.metric, &row.values, of));
                    Some(numbers.sum::<f64>())
                };
                let change_of = percent(notation, sum(answer), sum(before));
                change.add(field.name, change_of);
            }
        }
        // Lists have no previous window, which a test of the catalogue checks.
        Shape::Breakdown(_) | Shape::Ranking(_) | Shape::Choice(_) | Shape::Board(_) => return,
    }
    object.add("previous", Node::Object(previous));
    object.add("change", Node::Object(change));
}

/// Adds the rows of a breakdown as its list.
pub(super) fn add_values(object: &mut Object, breakdown: &Breakdown, answer: &Answer) {
    let rows = answer.rows.iter().map(|found| {
        let mut row = Object::default();
        row.add(breakdown.label, Node::Text(found.label.clone()));
        add_fields(&mut row, breakdown.metrics, &found.values, answer);
        row
    });
    object.add(breakdown.list, Node::List(rows.collect()));
}

/// The change in percent; null after zero or nothing, because such a change has no percentage.
pub(super) fn percent(notation: Notation, now: Option<f64>, before: Option<f64>) -> Node {
    match (now, before) {
        (Some(now), Some(before)) if before != 0.0 => {
            Node::Number(Number(notation.change.apply(now - before, before)))
        }
        _ => Node::Null,
    }
}

/// The rows of a series.
pub(super) fn slots(series: &Series, notation: Notation, answer: &Answer) -> Vec<Object> {
    let row = |found: &Row| {
        let mut row = Object::default();
        let bucket = found.bucket.map(notation.bucket).unwrap_or_default();
        row.add(series.label, Node::Text(bucket));
        if let Some((name, _)) = series.by {
            row.add(name, Node::Text(found.label.clone()));
        }
        add_fields(&mut row, series.metrics, &found.values, answer);
        row
    };
    answer.rows.iter().map(row).collect()
}

pub(super) fn add_fields(object: &mut Object, fields: &[Field], values: &Values, answer: &Answer) {
    for field in fields {
        let node = match field.metric {
            Metric::Moment(measure) => instant(values.get(measure)).map_or(Node::Null, Node::Text),
            metric => number(metric, values, answer)
                .map_or(Node::Null, |number| Node::Number(Number(number))),
        };
        object.add(field.name, node);
    }
}

/// An instant in microseconds since 1970, as the surface of workspaces writes it; `None` for 0.
pub(super) fn instant(micros: f64) -> Option<String> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and far below 2^53 for any time of a row"
    )]
    let at = Timestamp::from_microsecond(micros as i64).ok();
    let at = at.filter(|at| *at > Timestamp::UNIX_EPOCH);
    at.map(iso_micros)
}

/// The numbers that the `meta` of an answer has: over the whole window, or added up over the rows of
/// a series. A price without a rate is one more amount without one.
pub(super) fn beside(fields: &[Field], answer: &Answer, unpriced: u32) -> Object {
    let mut object = Object::default();
    for field in fields {
        let of = |values: &Values| number(field.metric, values, answer).unwrap_or_default();
        let rows = answer.rows.iter().map(|row| of(&row.values));
        let mut sum = of(&answer.totals) + rows.sum::<f64>();
        if *field.metric == COUNT_OF_UNCONVERTED {
            sum += f64::from(unpriced);
        }
        object.add(field.name, Node::Number(Number(sum)));
    }
    object
}

/// The number of a metric; `None` for one that has none, because there is nothing to divide by.
pub(super) fn number(metric: &Metric, values: &Values, answer: &Answer) -> Option<f64> {
    let sum = |of: &[&Measure]| of.iter().map(|measure| values.get(measure)).sum::<f64>();
    let number = match metric {
        Metric::Plain(measure) | Metric::Moment(measure) => values.get(measure),
        Metric::Amount(amount) => {
            let sum = sum(amount.plus) - sum(amount.minus);
            match (amount.per.map(|rows| values.get(rows)), amount.without) {
                (None, _) => answer.money.of(sum),
                (Some(0.0), Without::Zero) => 0.0,
                (Some(0.0), Without::Null) => return None,
                (Some(rows), _) => answer.money.of(sum / rows),
            }
        }
        Metric::Yield(of) => {
            let (earned, cost) = (sum(of.earned), sum(of.cost));
            if cost <= 0.0 {
                return None;
            }
            of.rounding.apply(earned - cost, cost)
        }
        Metric::Ratio(ratio) => {
            let denominator = match ratio.over {
                Over::Scope => answer.totals.get(ratio.denominator),
                // Shares refer to the shown rows, so that they add up in a list that is cut.
                Over::ReturnedRows => {
                    let rows = answer.rows.iter();
                    rows.map(|row| row.values.get(ratio.denominator)).sum()
                }
            };
            let numerator = values.get(ratio.numerator);
            ratio.rounding.apply(numerator, denominator)
        }
    };
    Some(number)
}

fn add_name(row: &mut Object, entity: Entity, id: &str, names: &Names) {
    match entity {
        Entity::Link => {
            let name = id.parse().ok().and_then(|id| names.get(&id)?.as_ref());
            let (title, url) = name.map_or((UNKNOWN_TITLE, ""), |(title, url)| (title, url));
            row.add("id", Node::Text(id.to_owned()));
            row.add("title", Node::Text(title.to_owned()));
            row.add("url", Node::Text(url.to_owned()));
        }
    }
}

pub(super) fn add_echo(
    object: &mut Object,
    params: &[Param],
    notation: Notation,
    asked: &Asked,
    answer: &Answer,
) {
    for param in params {
        let name = (notation.param)(*param);
        match param {
            Param::Days => object.add(name, Node::Number(Number(asked.days.into()))),
            Param::Dimension => {
                let chosen = asked.choice.unwrap_or_default();
                object.add(name, Node::Text(chosen.to_owned()));
            }
            Param::Granularity => {
                let buckets = asked.buckets.unwrap_or(Buckets::Day);
                object.add(name, Node::Text(buckets.name().to_owned()));
            }
            Param::Currency => object.add(name, Node::Text(answer.money.code().to_owned())),
            // No published answer repeats these.
            Param::Page
            | Param::Start
            | Param::End
            | Param::Interval
            | Param::Timezone
            | Param::Campaign
            | Param::Link
            | Param::Folder
            | Param::Tag
            | Param::Bots
            | Param::Compare
            | Param::Export => {}
        }
    }
}
