//! Plans and composes boards: each part is planned like a report of its own, and all are read at one
//! moment.

use super::{
    asked::{Asked, Grant},
    compose::{add_echo, add_fields, add_values, number, percent},
    names::Titles,
    object::{Node, Object},
    plan::{plan, plan_of_things},
};
use crate::{
    catalog::{
        Board, Breakdown, Field, Leaders, Notation, Part, Peak, Series, Shape, Thing, Things, Total,
    },
    sources::{Answer, Filter, Plan, Row, Window},
};
use jiff::{SignedDuration, Timestamp};
use schemas::analytics::Metric;
use std::cmp::Ordering;
use uuid::Uuid;

/// The plans of the parts, in their order.
pub(super) fn plans(board: &Board, filter: &Filter, asked: &Asked) -> Vec<Vec<Plan>> {
    let parts = board.parts.iter();
    parts.map(|part| plans_of(part, filter, asked)).collect()
}

fn plans_of(part: &Part, filter: &Filter, asked: &Asked) -> Vec<Plan> {
    let of = |shape: &Shape| plan(shape, filter.clone(), asked, &[]);
    let in_window = |metrics, window| {
        let filter = Filter {
            window,
            ..filter.clone()
        };
        plan(&total(metrics), filter, asked, &[])
    };
    match part {
        Part::Subject(_) => Vec::new(),
        Part::Numbers(_, metrics) => {
            let windows = [filter.window].into_iter().chain(asked.before);
            windows.map(|window| in_window(metrics, window)).collect()
        }
        // Filters do not apply to what a link has had in all.
        Part::Ever(_, metrics) => {
            let ever = Filter {
                window: Window::since(Timestamp::UNIX_EPOCH),
                conditions: Vec::new(),
                ..filter.clone()
            };
            vec![plan(&total(metrics), ever, asked, &[])]
        }
        Part::Values(breakdown) => vec![of(&Shape::Breakdown(*breakdown))],
        Part::Things(things) => vec![plan_of_things(things, filter.clone())],
        Part::Leaders(leaders) => {
            let all = leaders.of.iter();
            all.map(|(name, dimension)| {
                of(&Shape::Breakdown(Breakdown {
                    echo: &[],
                    list: name,
                    dimension,
                    label: name,
                    metrics: leaders.by,
                    top: Some(1),
                }))
            })
            .collect()
        }
        Part::Peak(peak) => vec![of(&Shape::Series(Series {
            echo: &[],
            list: peak.name,
            buckets: peak.buckets,
            filled: false,
            label: peak.label,
            by: None,
            metrics: peak.metrics,
        }))],
    }
}

const fn total(metrics: &'static [Field]) -> Shape {
    Shape::Total(Total { metrics, echo: &[] })
}

/// The things that the answers list, by their kind.
pub(super) fn things(board: &Board, answers: &[Vec<Answer>]) -> Vec<(Thing, Vec<Uuid>)> {
    let parts = board.parts.iter().zip(answers);
    parts
        .filter_map(|(part, answers)| {
            let Part::Things(things) = part else {
                return None;
            };
            let rows = answers.iter().flat_map(|answer| &answer.rows);
            let ids = rows.filter_map(|row| row.label.parse().ok());
            Some((things.thing, ids.collect()))
        })
        .collect()
}

/// The `data` of a board. `answers` has those of each part.
pub(super) fn compose(
    board: &Board,
    notation: Notation,
    asked: &Asked,
    grant: &Grant,
    answers: &[Vec<Answer>],
    titles: &Titles,
) -> Object {
    let mut object = Object::default();
    for (part, answers) in board.parts.iter().zip(answers) {
        match (part, answers.as_slice()) {
            (Part::Subject(name), _) => {
                let subject = grant.subject.clone();
                object.add(name, subject.map_or(Node::Null, Node::Given));
            }
            (Part::Numbers(name, metrics), [now, before @ ..]) => {
                object.add(name, numbers(metrics, now));
                if let (Some(before), Some(window)) = (before.first(), asked.before) {
                    add_comparison(&mut object, metrics, notation, asked, window, now, before);
                }
            }
            (Part::Ever(name, metrics), [answer]) => object.add(name, numbers(metrics, answer)),
            (Part::Values(breakdown), [answer]) => add_values(&mut object, breakdown, answer),
            (Part::Things(things), [answer]) => add_things(&mut object, things, answer, titles),
            (Part::Leaders(leaders), answers) => add_leaders(&mut object, leaders, answers),
            (Part::Peak(peak), [answer]) => add_peak(&mut object, peak, notation, answer),
            // There is an answer for each plan.
            _ => {}
        }
    }
    let shown = answers.iter().flatten().next().cloned().unwrap_or_default();
    add_echo(&mut object, board.echo, notation, asked, &shown);
    object
}

fn numbers(metrics: &[Field], answer: &Answer) -> Node {
    let mut numbers = Object::default();
    add_fields(&mut numbers, metrics, &answer.totals, answer);
    Node::Object(numbers)
}

/// The numbers of the window before, with its first and last day, and the change of each.
fn add_comparison(
    object: &mut Object,
    metrics: &[Field],
    notation: Notation,
    asked: &Asked,
    window: Window,
    now: &Answer,
    before: &Answer,
) {
    let mut previous = Object::default();
    add_fields(&mut previous, metrics, &before.totals, before);
    let until = window.until.unwrap_or(asked.now);
    let last = until.saturating_sub(SignedDuration::from_micros(1));
    for (name, at) in [("start", window.since), ("end", last.unwrap_or(until))] {
        let day = at.to_zoned(asked.zone.clone()).date();
        previous.add(name, Node::Text(day.to_string()));
    }
    let mut change = Object::default();
    for field in metrics {
        let value = |of: &Answer| number(field.metric, &of.totals, of);
        change.add(field.name, percent(notation, value(now), value(before)));
    }
    object.add("previous", Node::Object(previous));
    object.add("change", Node::Object(change));
}

fn add_things(object: &mut Object, things: &Things, answer: &Answer, titles: &Titles) {
    let text = |text: Option<String>| text.map_or(Node::Null, Node::Text);
    let rows = answer.rows.iter().map(|found| {
        let known = found.label.parse().ok().and_then(|id| titles.get(&id));
        let title = text(known.and_then(|known| known.title.clone()));
        let mut row = Object::default();
        match things.thing {
            Thing::Link => {
                let campaign = known.and_then(|known| known.campaign_id);
                row.add("linkId", Node::Text(found.label.clone()));
                row.add(
                    "shortCode",
                    text(known.and_then(|known| known.short_code.clone())),
                );
                row.add("title", title);
                row.add("campaignId", text(campaign.map(|id| id.to_string())));
            }
            Thing::Campaign => {
                row.add("campaignId", Node::Text(found.label.clone()));
                row.add("name", title);
            }
        }
        // What was never the workspace's has no name either.
        row.add(
            "deleted",
            Node::Bool(known.is_none_or(|known| known.deleted)),
        );
        add_fields(&mut row, things.metrics, &found.values, answer);
        row
    });
    object.add(things.list, Node::List(rows.collect()));
}

fn add_leaders(object: &mut Object, leaders: &Leaders, answers: &[Answer]) {
    let mut all = Object::default();
    for ((name, _), answer) in leaders.of.iter().zip(answers) {
        let first = answer.rows.first();
        all.add(
            name,
            first.map_or(Node::Null, |row| Node::Text(row.label.clone())),
        );
    }
    object.add(leaders.name, Node::Object(all));
}

fn add_peak(object: &mut Object, peak: &Peak, notation: Notation, answer: &Answer) {
    let metric: Option<&Metric> = peak.metrics.first().map(|field| field.metric);
    let height = |row: &Row| metric.map_or(0.0, |metric| number(metric, &row.values, answer));
    // The later row is compared with the earlier ones, so equal ones leave the earlier.
    let highest =
        answer.rows.iter().reduce(
            |highest, row| match height(row).total_cmp(&height(highest)) {
                Ordering::Greater => row,
                Ordering::Less | Ordering::Equal => highest,
            },
        );
    let node = highest.map_or(Node::Null, |found| {
        let mut row = Object::default();
        let bucket = found.bucket.map(notation.bucket).unwrap_or_default();
        row.add(peak.label, Node::Text(bucket));
        add_fields(&mut row, peak.metrics, &found.values, answer);
        Node::Object(row)
    });
    object.add(peak.name, node);
}
