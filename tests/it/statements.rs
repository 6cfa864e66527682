//! Every fixed statement prepares on freshly migrated databases, and every table knows its tenant.

use kit::postgres;
use sqlx::{AssertSqlSafe, Executor, PgPool, Row, SqlSafeStr};

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares() {
    let databases = postgres::databases().await;
    let main = PgPool::connect(&databases.main).await.unwrap();
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();
    let mut prepared = 0;
    let named = api::MAIN_STATEMENTS
        .iter()
        .map(|(_, statement)| (&main, *statement));
    let named = named.chain(
        api::ANALYTICS_STATEMENTS
            .iter()
            .map(|(_, statement)| (&analytics, *statement)),
    );
    let folding = projector::store::STATEMENTS
        .iter()
        .map(|statement| (&analytics, *statement));
    for (pool, statement) in named.chain(folding) {
        pool.prepare(statement.into_sql_str())
            .await
            .unwrap_or_else(|error| panic!("{error} in {statement}"));
        prepared += 1;
    }
    for (report, statement) in api::report_statements() {
        let prepared_as = analytics
            .prepare(AssertSqlSafe(statement).into_sql_str())
            .await;
        prepared_as.unwrap_or_else(|error| panic!("{error} in the statement of {report}"));
        prepared += 1;
    }
    assert!(prepared > 30, "{prepared}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_analytics_table_has_the_tenant_in_its_primary_key_and_every_unique_index() {
    let databases = postgres::databases().await;
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();
    let rows = sqlx::query(
        "SELECT tables.relname::text AS name, indexes.relname::text AS index, bool_or(columns.attname = 'workspace_no') AS tenant
        FROM pg_index
        JOIN pg_class AS tables ON tables.oid = pg_index.indrelid
        JOIN pg_class AS indexes ON indexes.oid = pg_index.indexrelid
        JOIN pg_namespace ON pg_namespace.oid = tables.relnamespace
        JOIN pg_attribute AS columns ON columns.attrelid = tables.oid AND columns.attnum = ANY (pg_index.indkey)
        WHERE pg_namespace.nspname = 'public' AND pg_index.indisunique
        GROUP BY tables.relname, indexes.relname",
    )
    .fetch_all(&analytics)
    .await
    .unwrap();
    let mut seen = Vec::new();
    for row in rows {
        let (table, index, tenant): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
        let exempt = table == "log_partitions" || table == "_sqlx_migrations";
        assert!(
            tenant || exempt,
            "{index} of {table} is without workspace_no"
        );
        seen.push(table);
    }
    assert!(
        seen.contains(&"events".to_owned()) && seen.contains(&"sessions".to_owned()),
        "{seen:?}"
    );
}
