//! Fixed statements are listed, prepare on freshly migrated databases, and read large tables by an
//! index. Every table has the tenant in its keys.

use crate::vocabulary::TRIALS;
use api::catalog::REPORTS;
use jiff::{SignedDuration, Timestamp};
use kit::postgres;
use projector::Store;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Row, SqlSafeStr};
use std::path::{Path, PathBuf};

/// Visits and views of 50 workspaces with four pages each, over 400 days.
const LARGE: &str = "
    INSERT INTO sessions (workspace_no, session_id, seq, started_at, start_event_id, start_received_at, page_id, visitor_hash, last_activity_at)
    SELECT 1 + n % 50, md5('session' || n)::uuid, n, at, md5('start' || n)::uuid, at, md5('page' || n % 200)::uuid,
           decode(md5('visitor' || n % 9000), 'hex'), at
    FROM generate_series(1, 40000) AS n, LATERAL (SELECT timestamptz '2026-01-01' + n * interval '14 minutes') AS t (at);
    INSERT INTO hits (workspace_no, seq, visible_seq, event_id, occurred_at, received_at, page_id, session_id, pageview_id)
    SELECT 1 + n % 50, n, n, md5('event' || n)::uuid, at, at, md5('page' || n % 200)::uuid,
           md5('session' || n % 40000)::uuid, md5('view' || n)::uuid
    FROM generate_series(1, 80000) AS n, LATERAL (SELECT timestamptz '2026-01-01' + n * interval '7 minutes') AS t (at);
    INSERT INTO refusals (workspace_no, seq, refusal_count, event_id, occurred_at, received_at, page_id, refusal_reason)
    SELECT 1 + n % 50, n, 1, md5('refusal' || n)::uuid, at, at, md5('page' || n % 200)::uuid, 'bot'
    FROM generate_series(1, 40000) AS n, LATERAL (SELECT timestamptz '2026-01-01' + n * interval '14 minutes') AS t (at);
    ANALYZE";

/// Statements of the catalogue's reports, and of reports that only tests have.
fn reports() -> Vec<(String, String)> {
    let mut all = api::report_statements(REPORTS);
    all.extend(api::report_statements(&TRIALS));
    all.extend(api::tally_statements());
    all
}

/// The names of a source file's constants that are statements.
fn statements_of(source: &str) -> Vec<&str> {
    let texts = source.match_indices(": &str =").filter(|(at, kind)| {
        let value = source[at + kind.len()..]
            .trim_start()
            .trim_start_matches("concat!(");
        let value = value.trim_start_matches(['"', '\\', '\n', ' ']);
        let verbs = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"];
        // Macros of their file make the statements that share a part.
        let of_macro =
            value.trim_start_matches(|letter: char| letter.is_lowercase() || letter == '_');
        verbs.iter().any(|verb| value.starts_with(verb))
            || (of_macro.starts_with("!(") && !value.starts_with("include_str"))
    });
    let built = [": Pair =", ": LazyLock<String> =", ": LazyLock<Append> ="];
    let built = built.iter().flat_map(|kind| source.match_indices(kind));
    let name = |(at, _): (usize, &str)| source[..at].rsplit(' ').next().unwrap();
    texts.chain(built).map(name).collect()
}

/// The names in a source file's lists of statements.
fn listed_in(source: &str) -> Vec<&str> {
    let lists = [("statements![", ']'), ("fn statements()", '}')];
    let lists = lists.iter().flat_map(|(begin, end)| {
        let lists = source.match_indices(begin);
        lists.map(|(at, _)| source[at..].split(*end).next().unwrap())
    });
    let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    lists
        .flat_map(|list| list.split(move |letter| !is_of_name(letter)))
        .collect()
}

#[test]
fn every_statement_is_in_the_list_of_its_file() {
    let mut folders = vec![sources("api"), sources("projector")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let listed = listed_in(&source);
            for name in statements_of(&source) {
                assert!(listed.contains(&name), "{name} of {path:?} is in no list");
                found += 1;
            }
            let uses = source.match_indices("sqlx::query");
            let is_inline = uses.map(|(at, _)| &source[at..]).any(|part| {
                let argument = part.split('(').nth(1).unwrap_or_default();
                argument.trim_start().starts_with('"')
            });
            // A rebuild only asks whether tables exist.
            let may_be = path.ends_with("rebuild/swap.rs");
            assert!(may_be || !is_inline, "{path:?} has an unnamed statement");
        }
    }
    assert!(found > 200, "{found}");
}

fn sources(service: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(service)
        .join("src")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares() {
    let databases = postgres::databases().await;
    let main = PgPool::connect(&databases.main).await.unwrap();
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();
    let mut prepared = 0;
    let on_main = api::main_statements().into_iter();
    let on_main = on_main.map(|(_, statement)| (&main, statement));
    let on_analytics = api::analytics_statements().into_iter();
    let on_analytics = on_analytics.map(|(_, statement)| (&analytics, statement));
    let folding = projector::statements().into_iter();
    let folding = folding.map(|statement| (&analytics, statement));
    for (pool, statement) in on_main.chain(on_analytics).chain(folding) {
        pool.prepare(statement.into_sql_str())
            .await
            .unwrap_or_else(|error| panic!("{error} in {statement}"));
        prepared += 1;
    }
    for (report, statement) in reports() {
        let prepared_as = analytics
            .prepare(AssertSqlSafe(statement).into_sql_str())
            .await;
        prepared_as.unwrap_or_else(|error| panic!("{error} in the statement of {report}"));
        prepared += 1;
    }
    assert!(prepared > 300, "{prepared}");
}

/// The tables that keep statistics of their own, with how often they were analysed by command, and the rows that the planner expects.
const ANALYSES: &str = "
    SELECT tables.oid::regclass::text, pg_stat_get_analyze_count(tables.oid), tables.reltuples::int8
    FROM pg_class AS tables
    WHERE tables.oid IN ('hits'::regclass, 'sessions'::regclass)
       OR tables.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent IN ('hits'::regclass, 'sessions'::regclass))
      AND pg_relation_size(tables.oid) > 64 * 8192
    ORDER BY 1";

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_have_grown_are_analysed_once() {
    let databases = postgres::databases().await;
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();
    let store = Store::new(analytics.clone());
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let times = (0..28).map(|number| first + SignedDuration::from_hours(number * 24 * 15));
    store.provide_months(times).await.unwrap();
    let rows = LARGE.trim_end_matches("ANALYZE");
    sqlx::raw_sql(rows).execute(&analytics).await.unwrap();
    // The second call finds nothing to do.
    for _ in 0..2 {
        store.refresh_statistics().await.unwrap();
        let analyses: Vec<(String, i64, i64)> = sqlx::query_as(ANALYSES)
            .fetch_all(&analytics)
            .await
            .unwrap();
        assert!(analyses.len() > 10, "{analyses:?}");
        for (table, times, rows) in analyses {
            assert_eq!(times, 1, "{table}");
            assert!(rows > 1_000, "{table}: {rows}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_reads_a_whole_table() {
    let databases = postgres::databases().await;
    let store = Store::new(PgPool::connect(&databases.analytics).await.unwrap());
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let times = (0..28).map(|number| first + SignedDuration::from_hours(number * 24 * 15));
    store.provide_months(times).await.unwrap();
    let mut analytics = PgConnection::connect(&databases.analytics).await.unwrap();
    sqlx::raw_sql(LARGE).execute(&mut analytics).await.unwrap();
    // Plans for any page, as prepared statements have them, and for every month. With pruning, the
    // NULL parameters below would exclude every month.
    let any = "SET plan_cache_mode = force_generic_plan; SET enable_partition_pruning = off";
    sqlx::raw_sql(any).execute(&mut analytics).await.unwrap();
    // The planner scans an empty partition sequentially, which costs nothing.
    let empty = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND reltuples = 0";
    let empty_partitions: Vec<String> = sqlx::query_scalar(empty)
        .fetch_all(&mut analytics)
        .await
        .unwrap();
    assert!(!empty_partitions.contains(&"hits_2026_01".to_owned()));
    let fixed = api::analytics_statements().into_iter();
    let fixed = fixed.map(|(name, statement)| (name.to_owned(), statement.to_owned()));
    let mut by_index = 0;
    for (name, statement) in reports().into_iter().chain(fixed) {
        let plan = plan(&mut analytics, &statement).await;
        for table in ["hits", "sessions", "refusals"] {
            let whole = format!("Seq Scan on {table}");
            let reads_whole = |line: &str| {
                let empty = |name: &String| line.contains(&format!("Seq Scan on {name} "));
                line.contains(&whole) && !empty_partitions.iter().any(empty)
            };
            assert!(
                !plan.lines().any(reads_whole),
                "{name} reads all of {table}:\n{plan}"
            );
        }
        by_index += i32::from(plan.contains("Index"));
    }
    assert!(by_index > 30, "{by_index}");
    let whole = plan(&mut analytics, "SELECT count(*) FROM hits WHERE title = $1").await;
    assert!(whole.contains("Seq Scan on hits"), "{whole}");
}

/// The server's plan for a statement with any parameters.
async fn plan(connection: &mut PgConnection, statement: &str) -> String {
    let parameters = (1..1_000)
        .take_while(|number| statement.contains(&format!("${number}")))
        .map(|_| "NULL")
        .collect::<Vec<_>>()
        .join(", ");
    let given = if parameters.is_empty() {
        String::new()
    } else {
        format!("({parameters})")
    };
    let prepare = AssertSqlSafe(format!("PREPARE asked AS {statement}"));
    sqlx::raw_sql(prepare)
        .execute(&mut *connection)
        .await
        .unwrap_or_else(|error| panic!("{error} in {statement}"));
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE asked {given}"));
    let lines = sqlx::raw_sql(explain)
        .fetch_all(&mut *connection)
        .await
        .unwrap_or_else(|error| panic!("{error} in {statement}"));
    sqlx::raw_sql("DEALLOCATE asked")
        .execute(connection)
        .await
        .unwrap();
    let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    lines.join("\n")
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
        let exempt = ["logs", "log_partitions", "_sqlx_migrations"].contains(&table.as_str());
        assert!(
            tenant || exempt,
            "{index} of {table} is without workspace_no"
        );
        seen.push(table);
    }
    for table in [
        "seen",
        "sessions",
        "hits",
        "custom_events",
        "refusals",
        "waiting",
    ] {
        assert!(seen.iter().any(|name| name == table), "{table}: {seen:?}");
    }
}
