//! An answer's numbers and names as the object that its row describes.

use super::{
    names::Names,
    object::{Node, Object},
    run::Asked,
    source::{Answer, Values},
};
use crate::{
    catalog::{Entity, Field, Metric, Over, Param, Report, Shape},
    number::Number,
};

/// What a link is called that is deleted or somebody else's.
const UNKNOWN_TITLE: &str = "Unknown";

/// The `data` of a report.
pub(super) fn compose(report: &Report, asked: &Asked, answer: &Answer, names: &Names) -> Object {
    let mut object = Object::default();
    match &report.shape {
        Shape::Total(total) => {
            add_fields(&mut object, total.metrics, &answer.totals, answer);
            for param in total.echo {
                add_echo(&mut object, *param, asked);
            }
        }
        Shape::Breakdown(breakdown) => {
            let rows = answer.rows.iter().map(|(label, values)| {
                let mut row = Object::default();
                row.add(breakdown.label, Node::Text(label.clone()));
                add_fields(&mut row, breakdown.metrics, values, answer);
                row
            });
            object.add(breakdown.list, Node::List(rows.collect()));
        }
        Shape::Ranking(ranking) => {
            let rows = answer.rows.iter().map(|(label, values)| {
                let mut row = Object::default();
                add_name(&mut row, ranking.entity, label, names);
                add_fields(&mut row, ranking.metrics, values, answer);
                row
            });
            object.add(ranking.list, Node::List(rows.collect()));
            add_fields(&mut object, ranking.totals, &answer.totals, answer);
        }
    }
    object
}

fn add_fields(object: &mut Object, fields: &[Field], values: &Values, answer: &Answer) {
    for field in fields {
        let number = Number(number(field.metric, values, answer));
        object.add(field.name, Node::Number(number));
    }
}

fn number(metric: &Metric, values: &Values, answer: &Answer) -> f64 {
    match metric {
        Metric::Plain(measure) => values.get(measure),
        Metric::Ratio(ratio) => {
            let denominator = match ratio.over {
                Over::Scope => answer.totals.get(ratio.denominator),
                Over::ReturnedRows => {
                    let counts = answer.rows.iter();
                    counts.map(|(_, row)| row.get(ratio.denominator)).sum()
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
            let name = id.parse().ok().and_then(|id| names.get(&id));
            let (title, url) = name.map_or((UNKNOWN_TITLE, ""), |(title, url)| (title, url));
            row.add("id", Node::Text(id.to_owned()));
            row.add("title", Node::Text(title.to_owned()));
            row.add("url", Node::Text(url.to_owned()));
        }
    }
}

fn add_echo(object: &mut Object, param: Param, asked: &Asked) {
    match param {
        Param::Days => object.add("days", Node::Number(Number(asked.days.into()))),
        // The page's id is not repeated by any published answer.
        Param::BioPageId => {}
    }
}
