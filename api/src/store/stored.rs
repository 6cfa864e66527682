//! Objects of workspaces: finds one, and lists a part of them with their number.
//!
//! A kind of object names its statements in [`Stored`], and [`find`] and [`list`] run them. Statements
//! that no kind names use [`one`] and [`part`].

use sqlx::{
    FromRow, PgConnection, PgExecutor, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

/// A fixed statement to which values are bound.
pub(crate) type Bound = Query<'static, Postgres, PgArguments>;

/// A kind of object that workspaces have: its row, and the statements that read it.
pub(crate) trait Stored: for<'r> FromRow<'r, PgRow> + Send + Unpin {
    /// Finds one that is not deleted: `$1` is its id, `$2` the workspace.
    const FIND: &'static str;
    /// Lists them: `$1` is the workspace. The values of the filter, limit and offset follow.
    const LIST: &'static str;
    /// Counts what the list has without limit and offset.
    const LENGTH: &'static str;
    /// Which ones a list has; `()` for all.
    type Filter: Sync;

    /// Binds the values of a filter.
    fn bind(filter: &Self::Filter, statement: Bound) -> Bound;
}

/// An object of a workspace.
pub(crate) async fn find<T: Stored>(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<T>> {
    one(executor, T::FIND, id, workspace_id).await
}

/// A part of the objects that pass the filter, and how many there are.
pub(crate) async fn list<T: Stored>(
    connection: &mut PgConnection,
    workspace_id: Uuid,
    filter: &T::Filter,
    limit_and_offset: (i64, i64),
) -> sqlx::Result<(Vec<T>, i64)> {
    let bind = |statement: Bound| T::bind(filter, statement.bind(workspace_id));
    part(connection, (T::LIST, T::LENGTH), bind, limit_and_offset).await
}

/// The row that a statement finds for an id (`$1`) in a workspace (`$2`).
pub(super) async fn one<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(
    executor: impl PgExecutor<'_>,
    statement: &'static str,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<T>> {
    sqlx::query_as(statement)
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(executor)
        .await
}

/// A part of the rows of a list, and how many there are. `bind` binds what both statements take.
pub(super) async fn part<T: for<'r> FromRow<'r, PgRow>>(
    connection: &mut PgConnection,
    (list, length): (&'static str, &'static str),
    bind: impl Fn(Bound) -> Bound,
    (limit, offset): (i64, i64),
) -> sqlx::Result<(Vec<T>, i64)> {
    let list = bind(sqlx::query(list)).bind(limit).bind(offset);
    let rows = list.fetch_all(&mut *connection).await?;
    let rows = rows.iter().map(T::from_row).collect::<sqlx::Result<_>>()?;
    let length = bind(sqlx::query(length)).fetch_one(connection).await?;
    Ok((rows, length.try_get(0)?))
}

/// How many objects a workspace has.
pub(super) async fn count(
    executor: impl PgExecutor<'_>,
    statement: &'static str,
    workspace_id: Uuid,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(statement)
        .bind(workspace_id)
        .fetch_one(executor)
        .await
}
