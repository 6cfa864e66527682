//! The catalogue: every row is legal, unique and complete.

use super::*;
use crate::limits;
use schemas::analytics::{Aggregate, Measure, Metric, Over, facts::FACTS};
use std::collections::BTreeSet;

/// The shapes that the parts of a board are read as.
fn parts(board: &Board) -> Vec<Shape> {
    let breakdown = |list, dimension, metrics, top| {
        Shape::Breakdown(Breakdown {
            echo: &[],
            list,
            dimension,
            label: "label",
            metrics,
            top: Some(top),
        })
    };
    let of = |part: &Part| match part {
        Part::Subject(Subject { ever: metrics, .. })
        | Part::Numbers(Numbers { metrics, .. })
        | Part::Ever(_, metrics) => {
            vec![Shape::Total(Total { metrics, echo: &[] })]
        }
        Part::Series(series) => vec![Shape::Series(*series)],
        Part::Values(values) => vec![Shape::Breakdown(*values)],
        Part::Things(Things {
            list,
            dimension,
            metrics,
            top,
            ..
        }) => vec![breakdown(list, dimension, metrics, *top)],
        Part::Leaders(leaders) => {
            let all = leaders.of.iter();
            all.map(|leader| breakdown(leader.name, leader.dimension, leaders.by, 1))
                .collect()
        }
        Part::Peak(peak) => vec![Shape::Series(Series {
            echo: &[],
            list: peak.name,
            buckets: peak.buckets,
            filled: false,
            label: peak.label,
            by: None,
            metrics: peak.metrics,
        })],
    };
    board.parts.iter().flat_map(of).collect()
}

/// Every shape that a request can get, with its report, and those of boards' parts.
fn shapes() -> Vec<(&'static Report, &'static Shape)> {
    let of_shape = |report: &'static Report, shape: &'static Shape| match shape {
        Shape::Board(board) => {
            let parts = parts(board).into_iter();
            let leaked = parts.map(|shape| (report, &*Box::leak(Box::new(shape))));
            leaked.collect::<Vec<(_, &'static Shape)>>()
        }
        shape => vec![(report, shape)],
    };
    let all = REPORTS.iter();
    let of = |report: &'static Report| {
        report
            .shape
            .all()
            .into_iter()
            .flat_map(move |(_, shape)| of_shape(report, shape))
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
        Shape::Choice(_) | Shape::Board(_) => panic!("neither within a choice nor within a board"),
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
            Surface::Workspace => {
                let path = path.replacen("/link/", "/{linkId}/", 1);
                let path = path.replacen("qr/", "qr/{qrId}/", 1);
                assert_eq!(report.path, format!("/api/{path}"));
            }
        }
        assert!(
            report.summary.ends_with('.') && !report.summary.contains('\n'),
            "{}",
            report.id
        );
        assert!(
            report
                .limit
                .is_none_or(|limit| limit.count > 0 && limit.seconds > 0),
            "{}",
            report.id
        );
        // Plans limit the routes of workspaces.
        assert_eq!(report.limit.is_none(), report.surface == Surface::Workspace);
    }
}

#[test]
fn rows_read_facts_with_their_dimension_and_are_ordered_by_a_plain_number() {
    for (report, shape) in shapes() {
        let (dimension, row) = match shape {
            Shape::Total(_) | Shape::Choice(_) | Shape::Board(_) => continue,
            Shape::Series(series) => (series.by.map(|(_, by)| by), series.metrics),
            Shape::Breakdown(breakdown) => (Some(breakdown.dimension), breakdown.metrics),
            Shape::Ranking(ranking) => (Some(ranking.dimension), ranking.metrics),
        };
        for measure in row_measures(row) {
            let has = |dimension: &Dimension| dimension.on(measure.fact).is_some();
            assert!(dimension.is_none_or(has), "{}", report.id);
        }
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
fn buckets_of_several_intervals_have_numbers_that_can_be_added() {
    for (report, shape) in shapes() {
        let Shape::Series(series) = shape else {
            continue;
        };
        for measure in row_measures(series.metrics) {
            let whole = series.buckets.are_intervals();
            assert!(whole || measure.aggregate.is_additive(), "{}", report.id);
        }
        // A request may choose other buckets, and zeros have no value of a dimension.
        let chosen = report.params.contains(&Param::Granularity);
        assert!(!chosen || series.buckets.are_intervals(), "{}", report.id);
        assert!(!series.filled || series.by.is_none(), "{}", report.id);
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
            Shape::Total(_) | Shape::Choice(_) | Shape::Board(_) => {}
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
        Shape::Ranking(_) | Shape::Choice(_) | Shape::Board(_) => &[],
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
            Shape::Total(_) | Shape::Choice(_) | Shape::Board(_) => true,
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
        let of_board = matches!(report.shape, Shape::Board(_));
        if report.params.contains(&Param::Compare) && !of_board {
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

#[test]
fn a_board_has_no_name_twice_compares_one_part_and_shows_a_subject_only_in_its_scope() {
    for report in REPORTS {
        let Shape::Board(board) = &report.shape else {
            continue;
        };
        let (mut names, mut compared) = (vec!["previous", "change"], 0);
        for part in board.parts {
            compared += usize::from(matches!(part, Part::Numbers(_)));
            let has_subject = [Scope::Link, Scope::Qr].contains(&report.scope);
            assert!(
                has_subject || !matches!(part, Part::Subject(_)),
                "{}",
                report.id
            );
            names.push(match part {
                Part::Subject(Subject { name, .. })
                | Part::Numbers(Numbers { name, .. })
                | Part::Ever(name, _) => name,
                Part::Series(series) => series.list,
                Part::Values(values) => values.list,
                Part::Things(things) => things.list,
                Part::Leaders(leaders) => leaders.name,
                Part::Peak(peak) => peak.name,
            });
        }
        names.extend(board.echo.iter().map(|param| report.param_name(*param)));
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!((unique.len(), compared), (names.len(), 1), "{}", report.id);
        assert_eq!(report.format, Format::Json, "{}", report.id);
    }
}

/// One statement finds all leaders, and groups rows before it counts them.
#[test]
fn leaders_are_few_and_decided_by_a_count_of_all_rows() {
    for (report, part) in board_parts() {
        let Part::Leaders(leaders) = part else {
            continue;
        };
        assert!(leaders.of.len() <= 8, "{}", report.id);
        for measure in row_measures(leaders.by) {
            assert_eq!(measure.aggregate, Aggregate::Count, "{}", report.id);
            assert_eq!(measure.only, None, "{}", report.id);
        }
        assert_eq!(leaders.by.len(), 1, "{}", report.id);
    }
}

/// They are added up over the rows of a series.
#[test]
fn counts_beside_the_data_can_be_added() {
    for report in REPORTS {
        for field in report.meta.unwrap_or_default() {
            let Metric::Plain(measure) = field.metric else {
                panic!("{}: {} is no count", report.id, field.name)
            };
            assert!(measure.aggregate.is_additive(), "{}", report.id);
        }
        let has_numbers = match &report.shape {
            Shape::Total(_) | Shape::Series(_) => true,
            Shape::Board(board) => board
                .parts
                .iter()
                .any(|part| matches!(part, Part::Numbers(_))),
            _ => false,
        };
        assert!(report.meta.is_none() || has_numbers, "{}", report.id);
    }
}

/// What a board says of its subject is read with its part about all time.
#[test]
fn a_subject_with_numbers_has_a_part_about_all_time_beside_it() {
    for report in REPORTS {
        let Shape::Board(board) = &report.shape else {
            continue;
        };
        let ever = board
            .parts
            .iter()
            .filter(|part| matches!(part, Part::Ever(..)));
        let needs = board
            .parts
            .iter()
            .any(|part| matches!(part, Part::Subject(Subject { ever, .. }) if !ever.is_empty()));
        assert!(!needs || ever.count() == 1, "{}", report.id);
    }
}

fn board_parts() -> Vec<(&'static Report, &'static Part)> {
    let all = REPORTS.iter().filter_map(|report| match &report.shape {
        Shape::Board(board) => Some(board.parts.iter().map(move |part| (report, part))),
        _ => None,
    });
    all.flatten().collect()
}
