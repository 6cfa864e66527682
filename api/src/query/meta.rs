//! `meta` beside an answer: the window that it covers, and when it was made.

use super::{
    asked::Asked,
    object::{Node, Object},
};
use crate::{
    catalog::{Param, Report},
    instant::iso_micros,
};
use jiff::SignedDuration;
use runtime::openapi::{Member, Schema, instant, object, required, text, whole, word_of};
use schemas::analytics::Buckets;

/// The members beside the data. `counts` are those of the row.
pub(super) fn beside(report: &Report, asked: &Asked, counts: Object) -> Object {
    let until = asked.window.until.unwrap_or(asked.now);
    let last = until.saturating_sub(SignedDuration::from_micros(1));
    let mut range = Object::default();
    range.add("start", Node::Text(iso_micros(asked.window.since)));
    range.add("end", Node::Text(iso_micros(last.unwrap_or(until))));
    let zone = asked.zone.iana_name().unwrap_or("UTC");
    range.add("timezone", Node::Text(zone.to_owned()));
    if report.params.contains(&Param::Granularity) {
        let buckets = asked.buckets.unwrap_or(Buckets::Day);
        range.add("granularity", Node::Text(buckets.name().to_owned()));
    }
    let mut meta = Object::default();
    meta.add("range", Node::Object(range));
    meta.add("generatedAt", Node::Text(iso_micros(asked.now)));
    for (name, node) in counts.into_members() {
        meta.add(name, node);
    }
    let mut beside = Object::default();
    beside.add("meta", Node::Object(meta));
    beside
}

/// The schema of the members beside the data of a row.
pub(crate) fn schema(report: &Report) -> Vec<Member> {
    let Some(counts) = report.meta else {
        return Vec::new();
    };
    let mut range = vec![
        required("start", instant().about("The first instant of the window.")),
        required("end", instant().about("The last one.")),
        required(
            "timezone",
            text(usize::MAX)
                .about("The time zone of days and hours.")
                .example("Europe/Istanbul"),
        ),
    ];
    if report.params.contains(&Param::Granularity) {
        let sizes: Schema = word_of(&Buckets::SIZES.map(Buckets::name));
        range.push(required(
            "granularity",
            sizes.about("The size of the buckets."),
        ));
    }
    let mut members = vec![
        required("range", object(range).about("What the answer covers.")),
        required("generatedAt", instant().about("When it was made.")),
    ];
    let counts = counts.iter();
    members.extend(counts.map(|field| {
        let schema = whole(0..=i64::MAX).about(field.metric.about());
        required(field.name, schema)
    }));
    vec![required("meta", object(members))]
}
