//! The catalogue: every row is legal, unique and complete.

use super::*;
use crate::limits;
use schemas::Kind;
use std::collections::BTreeSet;

/// The fields of a report's rows, and of its scope.
fn fields(report: &Report) -> (&'static [Field], &'static [Field]) {
    match report.shape {
        Shape::Total(total) => (&[], total.metrics),
        Shape::Breakdown(breakdown) => (breakdown.metrics, &[]),
        Shape::Ranking(ranking) => (ranking.metrics, ranking.totals),
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
fn rows_have_numbers_of_their_dimensions_fact_and_are_ordered_by_a_plain_one() {
    for report in REPORTS {
        let (dimension, row) = match report.shape {
            Shape::Total(_) => continue,
            Shape::Breakdown(breakdown) => (breakdown.dimension, breakdown.metrics),
            Shape::Ranking(ranking) => (ranking.dimension, ranking.metrics),
        };
        let measures: Vec<_> = row.iter().flat_map(row_measures).collect();
        assert!(
            measures
                .iter()
                .all(|measure| measure.fact == dimension.fact),
            "{}",
            report.id
        );
        assert!(matches!(row[0].metric, Metric::Plain(_)), "{}", report.id);
    }
}

#[test]
fn only_rows_can_be_a_part_of_the_returned_rows() {
    for report in REPORTS {
        let (_, scope) = fields(report);
        let of_rows = |field: &Field| matches!(field.metric, Metric::Ratio(ratio) if ratio.over == Over::ReturnedRows);
        assert!(!scope.iter().any(of_rows), "{}", report.id);
    }
}

#[test]
fn names_within_an_answer_are_unique() {
    for report in REPORTS {
        let (row, scope) = fields(report);
        let (mut inner, mut outer): (Vec<_>, Vec<_>) = (
            row.iter().map(|f| f.name).collect(),
            scope.iter().map(|f| f.name).collect(),
        );
        match report.shape {
            Shape::Total(_) => {}
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

#[test]
fn an_echo_is_a_parameter_of_its_report() {
    for report in REPORTS {
        if let Shape::Total(total) = report.shape {
            assert!(
                total.echo.iter().all(|param| report.params.contains(param)),
                "{}",
                report.id
            );
        }
    }
}

#[test]
fn measures_and_facts_have_names_of_their_own_and_views_are_page_viewed() {
    let mut measures: Vec<&Measure> = Vec::new();
    for report in REPORTS {
        let (row, scope) = fields(report);
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
    let number = Kind::PageViewed.number();
    assert_eq!(
        facts::PAGE_VIEWS.only,
        Some(format!("kind = {number}").as_str())
    );
}
