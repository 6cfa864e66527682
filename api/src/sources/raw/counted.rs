//! Writes which rows of a fact count: those of the tenant, the scope, the window and the filters.

use super::{
    sql::{Sql, Value},
    terms::{write_condition, write_predicate},
};
use crate::sources::{Condition, Filter};
use schemas::analytics::{Fact, Reach, TENANT, Visit, Within, facts::VISITS};

/// Which rows count. The tenant comes first, as in every index.
pub(super) fn write_where(sql: &mut Sql, fact: &Fact, filter: &Filter) {
    sql.push("\nWHERE ");
    write_scope(sql, fact, filter);
    sql.push("\n  AND ")
        .push(fact.time)
        .push(" >= ")
        .bind(Value::Instant(filter.window.since));
    if let Some(until) = filter.window.until {
        sql.push("\n  AND ")
            .push(fact.time)
            .push(" < ")
            .bind(Value::Instant(until));
    }
    // Conditions on columns of the visit go into one subquery on the visits.
    let (own, of_visit): (Vec<&Condition>, Vec<&Condition>) = filter
        .conditions
        .iter()
        .partition(|condition| !matches!(condition.dimension.on(fact), Some(Reach::Visit(_))));
    for condition in own {
        write_condition(sql, condition, fact, filter.workspace_no);
    }
    if let (false, Visit::By(by), Visit::Itself(id)) =
        (of_visit.is_empty(), fact.visit, VISITS.visit)
    {
        sql.push("\n  AND ")
            .push(by)
            .push(" IN (\n    SELECT ")
            .push(id)
            .push("\n    FROM ")
            .push(VISITS.table)
            .push("\n    WHERE ");
        write_scope(sql, &VISITS, filter);
        for condition in of_visit {
            write_condition(sql, condition, &VISITS, filter.workspace_no);
        }
        sql.push("\n)");
    }
}

/// The tenant, the predicates that distinguish the fact's rows in its table, and the scope.
pub(super) fn write_scope(sql: &mut Sql, fact: &Fact, filter: &Filter) {
    sql.push(TENANT)
        .push(" = ")
        .bind(Value::Int4(filter.workspace_no));
    for predicate in filter.kept(fact.predicates_within(None)) {
        sql.push("\n  AND ");
        write_predicate(sql, predicate);
    }
    match (filter.scope.on(fact), filter.scope_id) {
        (Some(Within::Id(column)), Some(id)) => {
            sql.push("\n  AND ")
                .push(column)
                .push(" = ")
                .bind(Value::Uuid(id));
        }
        (Some(Within::Only(predicates)), _) => {
            for predicate in predicates {
                sql.push("\n  AND ");
                write_predicate(sql, *predicate);
            }
        }
        // Nothing of this fact belongs to the scope; without `false`, all rows of the tenant count.
        (Some(Within::Id(_)), None) | (None, _) => {
            sql.push("\n  AND false");
        }
    }
    for (scope, ids) in &filter.within {
        match scope.on(fact) {
            Some(Within::Id(column)) => {
                sql.push("\n  AND ").push(column).push(" = ");
                match ids.as_slice() {
                    [id] => sql.bind(Value::Uuid(*id)),
                    ids => sql.push("ANY (").bind(Value::Uuids(ids.to_vec())).push(")"),
                };
            }
            // A fact that the scope does not divide has nothing in it.
            Some(Within::Only(_)) | None => {
                sql.push("\n  AND false");
            }
        }
    }
}
