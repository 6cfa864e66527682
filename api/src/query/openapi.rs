//! Schemas of reports' answers, from the same rows that [`compose`](super::compose) reads.

mod board;

use super::csv::columns;
use crate::catalog::{
    Breakdown, Choice, Entity, Field, Format, Notation, Param, Ranking, Report, Series, Shape,
    Total,
};
use runtime::openapi::{
    Member, Schema, instant, list, number, object, one_of, optional, required, text, uuid, whole,
    word_of,
};
use schemas::analytics::{Buckets, Metric, Without};

/// The `data` of a report, or the text of its file.
/// `subject` describes the thing of which a board shows the members.
pub(crate) fn answer(report: &'static Report, subject: &Schema) -> Schema {
    let compared = report.params.contains(&Param::Compare);
    let notation = report.surface.notation();
    match (report.format, &report.shape) {
        (Format::Csv, shape) => file(shape, notation),
        (Format::Json, Shape::Choice(choice)) => of_choice(choice, notation),
        (Format::Json, Shape::Board(board)) => {
            object(board::members(board, notation, compared, subject))
        }
        (Format::Json, shape) => object(members(shape, notation, &[], compared)),
    }
}

/// Choices that differ only in the name that chooses them share a schema.
fn of_choice(choice: &Choice, notation: Notation) -> Schema {
    let mut groups: Vec<(Schema, Vec<&str>, &Shape)> = Vec::new();
    for named in choice.of {
        let alike = object(members(&named.shape, notation, &[], false));
        match groups.iter_mut().find(|(schema, ..)| *schema == alike) {
            Some((_, names, _)) => names.push(named.name),
            None => groups.push((alike, vec![named.name], &named.shape)),
        }
    }
    one_of(
        groups
            .iter()
            .map(|(_, names, shape)| object(members(shape, notation, names, false))),
    )
}

/// The members of an answer, in their order. `chosen` has the names that choose it.
fn members(shape: &Shape, notation: Notation, chosen: &[&str], compared: bool) -> Vec<Member> {
    let mut all = Vec::new();
    match shape {
        // The document shows the choices, never the choice itself; boards have members of their own.
        Shape::Choice(_) | Shape::Board(_) => {}
        Shape::Total(Total { metrics, echo }) => {
            all.extend(fields(metrics));
            all.extend(echoes(echo, notation, chosen));
        }
        Shape::Series(series) => {
            all.extend(echoes(series.echo, notation, chosen));
            all.push(required(series.list, slots(series, notation)));
        }
        Shape::Breakdown(breakdown) => {
            all.extend(echoes(breakdown.echo, notation, chosen));
            all.push(required(breakdown.list, values(breakdown)));
        }
        Shape::Ranking(ranking) => {
            all.push(required(ranking.list, things(ranking)));
            all.extend(fields(ranking.totals));
        }
    }
    if compared {
        all.extend(comparison(shape, notation));
    }
    all
}

fn comparison(shape: &Shape, notation: Notation) -> Vec<Member> {
    let (previous, metrics) = match shape {
        Shape::Total(total) => (object(fields(total.metrics)), total.metrics),
        Shape::Series(series) => (
            object([required(series.list, slots(series, notation))]),
            series.metrics,
        ),
        // Lists have no previous window, which a test of the catalogue checks.
        Shape::Breakdown(_) | Shape::Ranking(_) | Shape::Choice(_) | Shape::Board(_) => {
            return Vec::new();
        }
    };
    vec![
        optional(
            "previous",
            previous.about("The same for the previous window; only with `compare=previous`."),
        ),
        optional(
            "change",
            object(changes(metrics))
                .about("The change of each number since the previous window, in percent; null if it was zero."),
        ),
    ]
}

/// The change of each number.
fn changes(metrics: &[Field]) -> impl Iterator<Item = Member> {
    metrics.iter().map(|field| {
        let change = number(f64::NEG_INFINITY..=f64::INFINITY).or_null();
        required(field.name, change)
    })
}

fn fields(fields: &[Field]) -> impl Iterator<Item = Member> {
    fields
        .iter()
        .map(|field| required(field.name, value(field.metric)))
}

fn value(metric: &Metric) -> Schema {
    let whole_number = match metric {
        Metric::Moment(_) => return instant().or_null().about(metric.about()),
        Metric::Plain(_) => true,
        Metric::Ratio(ratio) => ratio.rounding.is_whole(),
        Metric::Amount(_) | Metric::Yield(_) => false,
    };
    let (signed, nullable) = match metric {
        Metric::Amount(amount) => (!amount.minus.is_empty(), amount.without == Without::Null),
        Metric::Yield(_) => (true, true),
        _ => (false, false),
    };
    let least = if signed { f64::NEG_INFINITY } else { 0.0 };
    let schema = if whole_number {
        whole(0..=i64::MAX)
    } else {
        number(least..=f64::INFINITY)
    };
    let schema = if nullable { schema.or_null() } else { schema };
    schema.about(metric.about())
}

fn echoes(params: &[Param], notation: Notation, chosen: &[&str]) -> Vec<Member> {
    let echo = |param: &Param| {
        match param {
        Param::Days => {
            Some(whole(1..=i64::from(notation.max_days)).about("The effective number of days."))
        }
        Param::Dimension => Some(word_of(chosen).about("The dimension of the rows.")),
        Param::Granularity => Some(
            word_of(&Buckets::SIZES.map(Buckets::name)).about("The effective size of the buckets."),
        ),
        Param::Currency => Some(
            text(3)
                .about("The currency of all amounts. US dollars, if no rate is known of the wanted one.")
                .example("USD"),
        ),
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
        | Param::Export => None,
    }
    };
    let member = |param: &Param| Some(required((notation.param)(*param), echo(param)?));
    params.iter().filter_map(member).collect()
}

/// The name of a bucket.
fn slot(buckets: Buckets, notation: Notation) -> Schema {
    match (buckets, notation.bucket_pattern) {
        (Buckets::Hour | Buckets::Day | Buckets::Month, Some(pattern)) => text(usize::MAX)
            .with("pattern", pattern)
            .about("The local time at which the bucket begins.")
            .example("2026-02-20T00:00:00.000"),
        (Buckets::Hour | Buckets::Day | Buckets::Month, None) => {
            instant().about("The local day, whatever its zone. Days without rows are absent.")
        }
        (Buckets::HourOfWeek, _) => text(usize::MAX)
            .with(
                "pattern",
                "^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01][0-9]|2[0-3]):00$",
            )
            .about("The hour of the week. Hours without rows are absent.")
            .example("Mon 00:00"),
    }
}

fn slots(series: &Series, notation: Notation) -> Schema {
    let slot = slot(series.buckets, notation);
    let by = series
        .by
        .map(|(name, dimension)| required(name, text(usize::MAX).about(sentence(dimension.about))));
    let row = [required(series.label, slot)].into_iter().chain(by);
    list(object(row.chain(fields(series.metrics))))
}

fn values(breakdown: &Breakdown) -> Schema {
    let label = text(usize::MAX).about(format!(
        "{} `{}` if it is missing.",
        sentence(breakdown.dimension.about),
        breakdown.dimension.null_label
    ));
    // A report with only one dimension describes it here.
    let label = if breakdown.echo.contains(&Param::Dimension) {
        text(usize::MAX).about("A value of the dimension.")
    } else {
        label
    };
    let row = [required(breakdown.label, label)].into_iter();
    let rows = list(object(row.chain(fields(breakdown.metrics)))).about("Largest first.");
    match breakdown.top {
        Some(top) => rows.with("maxItems", top),
        None => rows,
    }
}

fn things(ranking: &Ranking) -> Schema {
    let names = match ranking.entity {
        Entity::Link => [
            required(
                "id",
                uuid().about("The nil UUID represents all links that were never yours."),
            ),
            required(
                "title",
                text(usize::MAX)
                    .about("`Unknown` for a deleted link, or one that was never yours."),
            ),
            required("url", text(usize::MAX).about("Empty for such a link.")),
        ],
    };
    list(object(names.into_iter().chain(fields(ranking.metrics)))).about("Largest first.")
}

fn file(shape: &'static Shape, notation: Notation) -> Schema {
    let all = shape.all().into_iter();
    let files: Vec<(&str, String)> = all
        .map(|(name, shape)| (name.unwrap_or_default(), columns(shape, notation).join(",")))
        .collect();
    let lines = files
        .iter()
        .map(|(name, columns)| format!("- `{name}`: `{columns}`"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let first = files.first().map_or("", |(_, columns)| columns);
    text(usize::MAX)
        .about(format!(
            "Lines end with a newline; the first one names the columns:\n\n{lines}"
        ))
        .example(format!("{first}\n…"))
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str())
}
