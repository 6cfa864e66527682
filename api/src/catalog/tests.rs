//! The catalogue: every row is legal, unique and complete.

use super::*;
use crate::limits;
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

/// The fields of a shape's rows, and of its scope.
fn fields(shape: &Shape) -> (&'static [Field], &'static [Field]) {
    match shape {
        Shape::Total(total) => (&[], total.metrics),
        Shape::Series(series) => (series.metrics, &[]),
        Shape::Breakdown(breakdown) => (breakdown.metrics, &[]),
        Shape::Ranking(ranking) => (ranking.metrics, ranking.totals),
        Shape::Choice(_) => panic!("a choice within a choice"),
    }
}

fn row_measures(field: &Field) -> Vec<&'static Measure> {
    match field.metric {
        Metric::Plain(measure) => vec![measure],
        Metric::Ratio(ratio) if ratio.over == Over::ReturnedRows => {
            vec![ratio.numerator, ratio.denominator]
        }
        Metric::Ratio(ratio) => vec![ratio.numerator],
    }
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
fn rows_have_numbers_of_one_fact_and_are_ordered_by_a_plain_one() {
    for (report, shape) in shapes() {
        let (dimension, row) = match shape {
            Shape::Total(_) | Shape::Choice(_) => continue,
            Shape::Series(series) => (series.by.map(|(_, by)| by), series.metrics),
            Shape::Breakdown(breakdown) => (Some(breakdown.dimension), breakdown.metrics),
            Shape::Ranking(ranking) => (Some(ranking.dimension), ranking.metrics),
        };
        let measures: Vec<_> = row.iter().flat_map(row_measures).collect();
        let fact = dimension.map_or(measures[0].fact, |dimension| dimension.fact);
        assert!(
            measures.iter().all(|measure| measure.fact == fact),
            "{}",
            report.id
        );
        assert!(matches!(row[0].metric, Metric::Plain(_)), "{}", report.id);
    }
}

#[test]
fn slots_have_numbers_that_can_be_added() {
    for (report, shape) in shapes() {
        let Shape::Series(series) = shape else {
            continue;
        };
        for measure in series.metrics.iter().flat_map(row_measures) {
            assert!(!measure.sql.contains("DISTINCT"), "{}", report.id);
        }
    }
}

#[test]
fn only_rows_can_be_a_part_of_the_returned_rows() {
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
        outer.extend(echo(shape).iter().map(|param| param.name()));
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

/// What visitors send must not decide how long an answer is.
#[test]
fn every_list_is_bounded() {
    for (report, shape) in shapes() {
        let bounded = match shape {
            Shape::Total(_) | Shape::Choice(_) => true,
            // Slots are those of a window.
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
fn a_label_of_no_value_is_no_listed_value() {
    for dimension in dimensions::OF_VISITS {
        match dimension.values {
            Values::Words(words) => assert!(!words.contains(&dimension.null_label)),
            Values::Countries => {
                assert_eq!(schemas::countries::find(dimension.null_label), None);
            }
            Values::Any | Values::Few | Values::Known => {}
        }
        if dimension.id.starts_with("utm_") {
            assert_eq!(dimension.null_label, "(none)");
        }
    }
}

#[test]
fn a_window_before_is_offered_where_one_can_be_shown() {
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
fn filters_are_on_visits_and_are_no_parameters() {
    for (report, shape) in shapes() {
        for filter in report.filters {
            assert_eq!(*filter.fact, facts::SESSIONS, "{}", report.id);
            let taken = report.params.iter().any(|param| param.name() == filter.id);
            assert!(!taken, "{}: {}", report.id, filter.id);
        }
        let (row, scope) = fields(shape);
        let measures = row.iter().chain(scope).flat_map(row_measures);
        let of_visits = measures
            .into_iter()
            .all(|measure| measure.fact.visit != Visit::Without);
        assert!(of_visits || report.filters.is_empty(), "{}", report.id);
    }
}

#[test]
fn measures_and_facts_have_names_of_their_own_and_kinds_are_those_of_the_log() {
    let mut measures: Vec<&Measure> = Vec::new();
    for (_, shape) in shapes() {
        let (row, scope) = fields(shape);
        for field in row.iter().chain(scope) {
            measures.extend(row_measures(field));
        }
    }
    for a in &measures {
        // A fact of the same name would hide the aggregate in a statement.
        assert!(measures.iter().all(|b| a.id != b.fact.id), "{}", a.id);
        assert!(
            measures.iter().all(|b| (a.id == b.id) == (a == b)),
            "{}",
            a.id
        );
    }
}
