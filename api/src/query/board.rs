//! Plans and composes boards: each part is planned like a report of its own, and all are read at one
//! moment.

use super::{
    asked::{Asked, Grant},
    compose::{add_echo, add_fields, add_values, beside, number, percent, slots},
    names::Titles,
    object::{Node, Object},
    plan::{plan, plan_of_leaders, plan_of_things},
};
use crate::{
    catalog::{
        Board, Count, Field, Leader, Leaders, Notation, Numbers, Part, Peak, Series, Shape, Thing,
        Things, Total,
    },
    number::Number,
    sources::{Answer, Filter, Plan, Row, Window},
};
use jiff::{SignedDuration, Timestamp};
use schemas::analytics::Metric;
use serde_json::Value;
use std::cmp::Ordering;
use uuid::Uuid;

/// The plans of the parts, in their order. `meta` are numbers that the first part of numbers is read
/// with.
pub(super) fn plans(
    board: &Board,
    filter: &Filter,
    asked: &Asked,
    meta: &[Field],
) -> Vec<Vec<Plan>> {
    let parts = board.parts.iter();
    let of = |part| plans_of(part, board, filter, asked, meta);
    parts.map(of).collect()
}

fn plans_of(
    part: &Part,
    board: &Board,
    filter: &Filter,
    asked: &Asked,
    meta: &[Field],
) -> Vec<Plan> {
    let of = |shape: &Shape| plan(shape, filter.clone(), asked, &[], &[]);
    let in_window = |metrics, window, beside: &[Field]| {
        let filter = Filter {
            window,
            ..filter.clone()
        };
        plan(&total(metrics), filter, asked, &[], beside)
    };
    match part {
        Part::Subject(_) => Vec::new(),
        Part::Numbers(Numbers { metrics, .. }) => {
            let now = in_window(metrics, filter.window, meta);
            let before = asked.before.map(|window| in_window(metrics, window, &[]));
            [now].into_iter().chain(before).collect()
        }
        // Filters do not apply to what a link has had in all.
        Part::Ever(_, metrics) => {
            let ever = Filter {
                window: Window::since(Timestamp::UNIX_EPOCH),
                conditions: Vec::new(),
                ..filter.clone()
            };
            let beside = of_subject(board);
            vec![plan(&total(metrics), ever, asked, &[], beside)]
        }
        Part::Series(series) => vec![of(&Shape::Series(*series))],
        Part::Values(breakdown) => vec![of(&Shape::Breakdown(*breakdown))],
        Part::Things(things) => vec![plan_of_things(things, filter.clone())],
        Part::Leaders(leaders) => vec![plan_of_leaders(leaders, filter.clone())],
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

/// What the subject shows of all time.
fn of_subject(board: &Board) -> &'static [Field] {
    let mut parts = board.parts.iter();
    let ever = parts.find_map(|part| match part {
        Part::Subject(subject) => Some(subject.ever),
        _ => None,
    });
    ever.unwrap_or_default()
}

/// The numbers that the `meta` of a board's answer has.
pub(super) fn meta(
    board: &Board,
    answers: &[Vec<Answer>],
    fields: &[Field],
    unpriced: u32,
) -> Object {
    let mut parts = board.parts.iter().zip(answers);
    let of_window = parts.find_map(|(part, answers)| match part {
        Part::Numbers(_) => answers.first(),
        _ => None,
    });
    of_window.map_or_else(Object::default, |answer| beside(fields, answer, unpriced))
}

/// What the main database counts for the board.
pub(super) fn counts(board: &Board) -> Vec<Count> {
    let of = |part: &Part| match part {
        Part::Numbers(numbers) => numbers.counts,
        _ => &[],
    };
    let counts = board.parts.iter().flat_map(of);
    counts.map(|(_, count)| *count).collect()
}

const fn total(metrics: &'static [Field]) -> Shape {
    Shape::Total(Total { metrics, echo: &[] })
}

/// The things that the answers list, by their kind.
pub(super) fn things(board: &Board, answers: &[Vec<Answer>]) -> Vec<(Thing, Vec<Uuid>)> {
    let mut all = Vec::new();
    for (part, answers) in board.parts.iter().zip(answers) {
        let rows = answers.iter().flat_map(|answer| &answer.rows);
        match part {
            Part::Things(things) => {
                let ids = rows.filter_map(|row| row.label.parse().ok());
                all.push((things.thing, ids.collect()));
            }
            Part::Leaders(leaders) => {
                let leaders = leaders.of.iter().zip(rows);
                all.extend(leaders.filter_map(|(leader, row)| {
                    Some((leader.thing?, vec![row.label.parse().ok()?]))
                }));
            }
            _ => {}
        }
    }
    all
}

/// The `data` of a board. `answers` has those of each part.
pub(super) fn compose(
    board: &Board,
    notation: Notation,
    asked: &Asked,
    grant: &Grant,
    answers: &[Vec<Answer>],
    (titles, counted): (&Titles, &[(Count, i64)]),
) -> Object {
    let mut object = Object::default();
    for (part, own) in board.parts.iter().zip(answers) {
        match (part, own.as_slice()) {
            (Part::Subject(subject), _) => {
                let node = subject_of(board, subject.ever, grant, answers);
                object.add(subject.name, node);
            }
            (
                Part::Numbers(Numbers {
                    name,
                    metrics,
                    counts,
                }),
                [now, before @ ..],
            ) => {
                let mut all = numbers(metrics, now);
                add_counts(&mut all, counts, counted);
                object.add(name, Node::Object(all));
                if let (Some(before), Some(window)) = (before.first(), asked.before) {
                    add_comparison(&mut object, metrics, notation, asked, window, now, before);
                }
            }
            (Part::Ever(name, metrics), [answer]) => {
                object.add(name, Node::Object(numbers(metrics, answer)));
            }
            (Part::Series(series), [answer]) => {
                object.add(series.list, Node::List(slots(series, notation, answer)));
            }
            (Part::Values(breakdown), [answer]) => add_values(&mut object, breakdown, answer),
            (Part::Things(things), [answer]) => add_things(&mut object, things, answer, titles),
            (Part::Leaders(leaders), [answer]) => add_leaders(&mut object, leaders, answer, titles),
            (Part::Peak(peak), [answer]) => add_peak(&mut object, peak, notation, answer),
            // There is an answer for each plan.
            _ => {}
        }
    }
    let shown = answers.iter().flatten().next().cloned().unwrap_or_default();
    add_echo(&mut object, board.echo, notation, asked, &shown);
    object
}

fn numbers(metrics: &[Field], answer: &Answer) -> Object {
    let mut numbers = Object::default();
    add_fields(&mut numbers, metrics, &answer.totals, answer);
    numbers
}

fn add_counts(object: &mut Object, counts: &[(&'static str, Count)], counted: &[(Count, i64)]) {
    for (name, count) in counts {
        let found = counted.iter().find(|(known, _)| known == count);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let number = found.map_or(0, |(_, number)| *number) as f64;
        object.add(name, Node::Number(Number(number)));
    }
}

/// The subject, with what it shows of all time.
fn subject_of(board: &Board, ever: &[Field], grant: &Grant, answers: &[Vec<Answer>]) -> Node {
    let Some(mut subject) = grant.subject.clone() else {
        return Node::Null;
    };
    let mut parts = board.parts.iter().zip(answers);
    let answer = parts.find_map(|(part, answers)| match part {
        Part::Ever(..) => answers.first(),
        _ => None,
    });
    if let Some(answer) = answer
        && let Ok(Value::Object(more)) = serde_json::to_value(numbers(ever, answer))
        && let Value::Object(members) = &mut subject
    {
        members.extend(more);
    }
    Node::Given(subject)
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
            Thing::Campaign | Thing::Rule => {
                row.add(things.thing.id(), Node::Text(found.label.clone()));
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

fn add_leaders(object: &mut Object, leaders: &Leaders, answer: &Answer, titles: &Titles) {
    let mut all = Object::default();
    let name_of = |leader: &Leader, row: &Row| {
        let id = row.label.parse().ok().filter(|_| leader.thing.is_some());
        let title = id.and_then(|id| titles.get(&id)?.title.clone());
        // A thing that is not the workspace's has no name here.
        title.unwrap_or_else(|| row.label.clone())
    };
    for (index, leader) in leaders.of.iter().enumerate() {
        let row = answer.rows.get(index);
        let name = row.map(|row| name_of(leader, row));
        all.add(leader.name, name.map_or(Node::Null, Node::Text));
    }
    object.add(leaders.name, Node::Object(all));
}

fn add_peak(object: &mut Object, peak: &Peak, notation: Notation, answer: &Answer) {
    let metric: Option<&Metric> = peak.metrics.first().map(|field| field.metric);
    let height = |row: &Row| {
        let metric = metric.and_then(|metric| number(metric, &row.values, answer));
        metric.unwrap_or_default()
    };
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
