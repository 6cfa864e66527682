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
use schemas::analytics::{Buckets, Metric, Over};

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
                let sum = |of: &Answer| -> f64 {
                    let values = of.rows.iter();
                    values
                        .map(|row| number(field.metric, &row.values, of))
                        .sum()
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

/// The change in percent; null after zero, because such a change has no percentage.
pub(super) fn percent(notation: Notation, now: f64, before: f64) -> Node {
    if before == 0.0 {
        return Node::Null;
    }
    Node::Number(Number(notation.change.apply(now - before, before)))
}

fn slots(series: &Series, notation: Notation, answer: &Answer) -> Vec<Object> {
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
            Metric::Moment(measure) => moment(values.get(measure)),
            metric => Node::Number(Number(number(metric, values, answer))),
        };
        object.add(field.name, node);
    }
}

/// An instant in microseconds since 1970, as the surface of workspaces writes it.
fn moment(micros: f64) -> Node {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and far below 2^53 for any time of a row"
    )]
    let at = Timestamp::from_microsecond(micros as i64).ok();
    let at = at.filter(|at| *at > Timestamp::UNIX_EPOCH);
    at.map_or(Node::Null, |at| Node::Text(iso_micros(at)))
}

/// The numbers that the `meta` of an answer has: over the whole window, or added up over the rows of
/// a series.
pub(super) fn beside(fields: &[Field], answer: &Answer) -> Object {
    let mut object = Object::default();
    for field in fields {
        let of = |values: &Values| number(field.metric, values, answer);
        let rows = answer.rows.iter().map(|row| of(&row.values));
        let sum = of(&answer.totals) + rows.sum::<f64>();
        object.add(field.name, Node::Number(Number(sum)));
    }
    object
}

pub(super) fn number(metric: &Metric, values: &Values, answer: &Answer) -> f64 {
    match metric {
        Metric::Plain(measure) | Metric::Moment(measure) => values.get(measure),
        Metric::Amount(amount) => {
            let sum = values.get(amount.usd_micros);
            match amount.per.map(|rows| values.get(rows)) {
                None => answer.money.of(sum),
                Some(0.0) => 0.0,
                Some(rows) => answer.money.of(sum / rows),
            }
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
    }
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
