//! The catalogue: every row is legal, unique and complete.

use super::*;
use crate::limits;
use schemas::analytics::{Fact, Measure, Metric, Over, facts::FACTS};
use std::collections::BTreeSet;

/// Every shape that a request can get, with its report.
fn shapes() -> Vec<(&'static Report, &'static Shape)> {
    let all = REPORTS.iter();
    let of = |report: &'static Report| {
        report
            .shape
            .all()
            .into_iter()
            .map(move |(_, s)| (report, s))
    };
    all.flat_map(of).collect()
}

/// The fields of a shape's rows, and those of its scope.
fn fields(shape: &Shape) -> (&'static [Field], &'static [Field]) {
    match shape {
        Shape::Total(total) => (&[], total.metrics),
        Shape::Series(series) => (series.metrics, &[]),
        Shape::Breakdown(breakdown) => (breakdown.metrics, &[]),
        Shape::Ranking(ranking) => (ranking.metrics, ranking.totals),
        Shape::Choice(_) => panic!("a choice within a choice"),
    }
}

/// The measures of a shape's rows.
fn row_measures(fields: &[Field]) -> Vec<&'static Measure> {
    let measures = fields.iter().flat_map(|field| field.metric.of_row());
    measures.collect()
}

/// Every measure that a shape needs.
fn measures(shape: &Shape) -> Vec<&'static Measure> {
    let (row, scope) = fields(shape);
    let of = |field: &Field| {
        field
            .metric
            .of_row()
            .into_iter()
            .chain(field.metric.of_scope())
    };
    row.iter().chain(scope).flat_map(of).collect()
}

/// The fact that a shape's rows come from.
fn fact(shape: &Shape) -> Option<&'static Fact> {
    let (row, _) = fields(shape);
    Fact::holding(row_measures(row).iter().map(|measure| measure.fact))
}

#[test]
fn ids_and_paths_are_unique() {
    let ids: BTreeSet<_> = REPORTS.iter().map(|report| report.id).collect();
    let paths: BTreeSet<_> = REPORTS.iter().map(|report| report.path).collect();
    assert_eq!((ids.len(), paths.len()), (REPORTS.len(), REPORTS.len()));
    let limits = limits::published();
    let routes: BTreeSet<_> = limits.iter().map(|limit| limit.route).collect();
    assert_eq!(routes.len(), limits.len());
}

#[test]
fn ids_paths_and_surfaces_agree() {
    for report in REPORTS {
        let path = report.id.replace('.', "/");
        match report.surface {
            Surface::Creator => assert_eq!(report.path, format!("/api/v1/{path}")),
        }
        assert!(
            report.summary.ends_with('.') && !report.summary.contains('\n'),
            "{}",
            report.id
        );
        assert!(
            report.limit.count > 0 && report.limit.seconds > 0,
            "{}",
            report.id
        );
    }
}

#[test]
fn rows_read_one_fact_with_their_dimension_and_are_ordered_by_a_plain_number() {
    for (report, shape) in shapes() {
        let (dimension, row) = match shape {
            Shape::Total(_) | Shape::Choice(_) => continue,
            Shape::Series(series) => (series.by.map(|(_, by)| by), series.metrics),
            Shape::Breakdown(breakdown) => (Some(breakdown.dimension), breakdown.metrics),
            Shape::Ranking(ranking) => (Some(ranking.dimension), ranking.metrics),
        };
        let fact = fact(shape).unwrap_or_else(|| panic!("{}", report.id));
        let has = |dimension: &Dimension| dimension.on(fact).is_some();
        assert!(dimension.is_none_or(has), "{}", report.id);
        assert!(matches!(row[0].metric, Metric::Plain(_)), "{}", report.id);
    }
}

#[test]
fn every_number_belongs_to_a_fact_of_the_scope() {
    for (report, shape) in shapes() {
        for measure in measures(shape) {
            assert!(report.scope.on(measure.fact).is_some(), "{}", report.id);
        }
    }
}

#[test]
fn buckets_have_numbers_that_can_be_added() {
    for (report, shape) in shapes() {
        let Shape::Series(series) = shape else {
            continue;
        };
        for measure in row_measures(series.metrics) {
            assert!(measure.aggregate.is_additive(), "{}", report.id);
        }
    }
}

#[test]
fn only_rows_can_be_shares_of_the_returned_rows() {
    for (report, shape) in shapes() {
        let (_, scope) = fields(shape);
        let of_rows = |field: &Field| matches!(field.metric, Metric::Ratio(ratio) if ratio.over == Over::ReturnedRows);
        assert!(!scope.iter().any(of_rows), "{}", report.id);
    }
}

#[test]
fn names_within_an_answer_are_unique() {
    for (report, shape) in shapes() {
        let (row, scope) = fields(shape);
        let (mut inner, mut outer): (Vec<_>, Vec<_>) = (
            row.iter().map(|f| f.name).collect(),
            scope.iter().map(|f| f.name).collect(),
        );
        outer.extend(echo(shape).iter().map(|param| report.param_name(*param)));
        match shape {
            Shape::Total(_) | Shape::Choice(_) => {}
            Shape::Series(series) => {
                inner.push(series.label);
                inner.extend(series.by.map(|(name, _)| name));
                outer.push(series.list);
            }
            Shape::Breakdown(breakdown) => {
                inner.push(breakdown.label);
                outer.push(breakdown.list);
                assert!(breakdown.top != Some(0));
            }
            Shape::Ranking(ranking) => {
                inner.extend(["id", "title", "url"]);
                outer.push(ranking.list);
            }
        }
        for names in [inner, outer] {
            let unique: BTreeSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len(), "{}", report.id);
        }
    }
}

fn echo(shape: &Shape) -> &'static [Param] {
    match shape {
        Shape::Total(total) => total.echo,
        Shape::Series(series) => series.echo,
        Shape::Breakdown(breakdown) => breakdown.echo,
        Shape::Ranking(_) | Shape::Choice(_) => &[],
    }
}

#[test]
fn an_echo_and_a_choice_are_parameters_of_their_report() {
    for (report, shape) in shapes() {
        let known = echo(shape)
            .iter()
            .all(|param| report.params.contains(param));
        assert!(known, "{}", report.id);
        if let Shape::Choice(choice) = report.shape {
            assert!(report.params.contains(&choice.param), "{}", report.id);
            let names: BTreeSet<_> = choice.of.iter().map(|named| named.name).collect();
            assert_eq!(names.len(), choice.of.len(), "{}", report.id);
        }
    }
}

/// The data of visitors must not decide how long an answer is.
#[test]
fn every_list_is_bounded() {
    for (report, shape) in shapes() {
        let bounded = match shape {
            Shape::Total(_) | Shape::Choice(_) => true,
            // A window bounds the number of its buckets.
            Shape::Series(series) => series.by.is_none_or(|(_, by)| by.values.are_bounded()),
            Shape::Breakdown(breakdown) => {
                breakdown.top.is_some() || breakdown.dimension.values.are_bounded()
            }
            Shape::Ranking(ranking) => ranking.dimension.values == Values::Known,
        };
        assert!(bounded, "{}", report.id);
    }
}

#[test]
fn a_comparison_is_offered_only_where_it_can_be_shown() {
    for (report, shape) in shapes() {
        if report.params.contains(&Param::Compare) {
            assert!(
                matches!(shape, Shape::Total(_) | Shape::Series(_)),
                "{}",
                report.id
            );
        }
    }
}

#[test]
fn filters_apply_to_every_number_and_do_not_collide_with_parameters() {
    for (report, shape) in shapes() {
        for filter in report.filters {
            for measure in measures(shape) {
                assert!(
                    filter.on(measure.fact).is_some(),
                    "{}: {}",
                    report.id,
                    filter.id
                );
            }
            let taken = report
                .params
                .iter()
                .any(|param| report.param_name(*param) == filter.id);
            assert!(
                !taken,
                "{}: a filter and a parameter are both called {}",
                report.id, filter.id
            );
        }
    }
}

#[test]
fn measures_and_facts_have_unique_names() {
    let all: Vec<_> = shapes()
        .into_iter()
        .flat_map(|(_, shape)| measures(shape))
        .collect();
    for a in &all {
        // A fact of the same name would hide the aggregate in a statement.
        assert!(FACTS.iter().all(|fact| a.id != fact.id), "{}", a.id);
        assert!(all.iter().all(|b| (a.id == b.id) == (a == b)), "{}", a.id);
    }
}
