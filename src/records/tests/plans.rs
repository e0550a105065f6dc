//! With a million results no profile reads them all: the plan of each of its queries goes by an index. So do those of items.
//!
//! One player has twenty thousand of them, the others about fifty each. What is looked at is what the
//! planner says, so the tables are as large as it takes for a scan to be worth avoiding.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use super::*;
use crate::records::db::Db;
use crate::records::items::{count_sql, owned_sql, page_sql};
use crate::records::results::QUERIES;

const USERS: i64 = 20_000;
const GAMES: i64 = 200_000;

/// The numbers from 1 to $N, in either database.
const NUMBERS: &str =
    "with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < $N)";

/// Statements that fill the tables: five in each game, and in every tenth of them player 1. `at` is
/// the instant of number `i`.
fn filling(at: &str) -> [String; 4] {
    let numbers = |count: i64| NUMBERS.replace("$N", &count.to_string());
    [
        format!(
            "{} insert into users (id, name, registered_at)
             select 'google-' || i, 'Player', {at} from numbers",
            numbers(USERS)
        ),
        format!(
            "{} insert into games (id, created_at, status, game_type)
             select i, {at}, 2, 1 from numbers",
            numbers(GAMES)
        ),
        format!(
            "{} insert into game_results
             select i, 'google-' || case when seat = 0 and i % 10 = 0 then 1
                                    else (i * 5 + seat) % ({USERS} - 1) + 2 end,
                 seat + 1, 60.0 + i % 50, 55.0 + i % 50, 90.0 + i % 10, {at}
             from numbers cross join (select 0 as seat union all select 1 union all select 2
                                      union all select 3 union all select 4) as seats",
            numbers(GAMES)
        ),
        "analyze".into(),
    ]
}

#[tokio::test]
async fn profiles_in_sqlite_find_their_results_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { data_dir: folder.path().into(), ..Settings::default() };
    let records = Records::open(&settings, false).await.unwrap();
    let Db::Lite(pool) = &records.db else { unreachable!("the settings name no other") };
    let mut connection = pool.acquire().await.unwrap();
    for sql in filling("1795368000000000 + i * 1000000") {
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    for (name, sql) in QUERIES {
        let plan = plan_lite(&mut connection, sql).await;
        let derived = |table: &str| plan.iter().any(|step| *step == format!("CO-ROUTINE {table}"));
        for step in &plan {
            let scanned = step.strip_prefix("SCAN ").filter(|table| !derived(table));
            assert_eq!(scanned, None, "{name}: {plan:#?}");
            // A page that was found in order may be sorted again: that is a few hundred rows.
            let sorts = step == "USE TEMP B-TREE FOR ORDER BY" && !derived("r");
            assert!(!sorts, "{name} sorts it all: {plan:#?}");
        }
    }
}

async fn plan_lite(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("explain query plan {sql}"));
    let steps = sqlx::raw_sql(explain).fetch_all(connection).await.unwrap();
    steps.iter().map(|step| step.get("detail")).collect()
}

#[tokio::test]
async fn profiles_in_postgresql_find_their_results_by_an_index() {
    let Some(scratch) = Scratch::make().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        data_dir: folder.path().into(),
        db: Some(scratch.settings()),
        ..Settings::default()
    };
    scratch
        .lend(async |options| {
            Records::open(&settings, true).await.unwrap();
            let mut connection = options.connect().await.unwrap();
            for sql in filling("timestamptz '2026-11-22' + i * interval '1 second'") {
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            for (name, sql) in QUERIES {
                let prepare = AssertSqlSafe(format!("prepare query_{name} as {sql}"));
                connection.execute(prepare).await.unwrap();
                for plan in plans_pg(&mut connection, name, sql).await {
                    let finds = plan.contains("Index Cond: ") && plan.contains("user_id = ");
                    let scans = plan.contains("Seq Scan on game_results");
                    assert!(finds && !scans, "{name}:\n{plan}");
                }
            }
        })
        .await;
}

/// The plans for players with many results, with some, and with none: those made for the player, and
/// the one that PostgreSQL makes for all when a statement has been used for some time.
async fn plans_pg(connection: &mut PgConnection, name: &str, sql: &str) -> Vec<String> {
    let mut plans = Vec::new();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let set = AssertSqlSafe(format!("set plan_cache_mode = {mode}"));
        connection.execute(set).await.unwrap();
        for user in ["google-1", "google-7", "unknown"] {
            // The first page, a large graph, and a page far back.
            for page in [", 50, 0", ", 1000, 0", ", 200, 10000"] {
                let page = match (sql.contains("$4"), sql.contains("$2")) {
                    (true, _) => format!("{page}, now()"),
                    (false, true) => ", now()".into(),
                    (false, false) => String::new(),
                };
                let explain = format!("explain execute query_{name} ('{user}'{page})");
                let explain = sqlx::raw_sql(AssertSqlSafe(explain));
                let lines = explain.fetch_all(&mut *connection).await.unwrap();
                let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
                plans.push(lines.join("\n"));
            }
        }
    }
    plans
}

/// Statements on items, with values for PostgreSQL to plan with, and the index by which each has to find its rows.
fn item_statements() -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for slot in 1..=4 {
        let index = format!("module_items_sort_{slot}");
        for is_reversed in [false, true] {
            let values = r"'x', '\x01', 'k7', '\xff', 50";
            all.push((page_sql(slot, is_reversed), values.into(), index.clone()));
        }
        let values = r"'x', '\x01', 'k7', '\xff', '', 1000, 'k9'";
        all.push((count_sql(slot), values.into(), index));
    }
    for (sql, owner) in owned_sql().into_iter().zip(["account", "guest"]) {
        all.push((sql, "'google-7', 'x', 'k7', 50".into(), format!("module_items_by_{owner}")));
    }
    all
}

/// Statements that fill the table: each sort key is another, and two of three items have an owner.
fn items(bytes: &str, at: &str) -> [String; 3] {
    let users = "insert into users (id, name, registered_at)";
    let numbers = |count: i64| NUMBERS.replace("$N", &count.to_string());
    [
        format!("{} {users} select 'google-' || i, 'Player', {at} from numbers", numbers(1_000)),
        format!(
            "{} insert into module_items (collection, key, account, guest, version, form, body,
                sort_1, sort_2, sort_3, sort_4, updated_at)
             select case when i % 5 = 0 then 'y' else 'x' end, 'k' || i,
                case when i % 3 = 0 then 'google-' || (1 + i % 1000) end,
                case when i % 3 = 1 then 'guest-' || (i % 1000) end, i, 1, '{{}}',
                {bytes}, {bytes}, {bytes}, {bytes}, {at} from numbers",
            numbers(50_000)
        ),
        "analyze".into(),
    ]
}

#[tokio::test]
async fn items_in_sqlite_are_found_by_an_index_and_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { data_dir: folder.path().into(), ..Settings::default() };
    let records = Records::open(&settings, false).await.unwrap();
    let Db::Lite(pool) = &records.db else { unreachable!("the settings name no other") };
    let mut connection = pool.acquire().await.unwrap();
    for sql in items("cast(printf('%08d', i * 7919 % 50000) as blob)", "1795368000000000 + i") {
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    for (sql, _, index) in item_statements() {
        let plan = plan_lite(&mut connection, &sql).await;
        let found = format!("SEARCH module_items USING INDEX {index} (");
        let covered = format!("SEARCH module_items USING COVERING INDEX {index} (");
        let is_found = |it: &String| it.starts_with(&found) || it.starts_with(&covered);
        assert!(plan.iter().any(is_found), "{sql}: {plan:#?}");
        assert!(!plan.iter().any(|it| it.contains("TEMP B-TREE")), "{sql}: {plan:#?}");
    }
}

#[tokio::test]
async fn items_in_postgresql_are_found_by_an_index_and_in_its_order() {
    let Some(scratch) = Scratch::make().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        data_dir: folder.path().into(),
        db: Some(scratch.settings()),
        ..Settings::default()
    };
    scratch
        .lend(async |options| {
            Records::open(&settings, true).await.unwrap();
            let mut connection = options.connect().await.unwrap();
            let bytes = "convert_to(lpad((i * 7919 % 50000)::text, 8, '0'), 'UTF8')";
            for sql in items(bytes, "timestamptz '2026-11-22' + i * interval '1 second'") {
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            for mode in ["force_custom_plan", "force_generic_plan"] {
                let set = AssertSqlSafe(format!("set plan_cache_mode = {mode}"));
                connection.execute(set).await.unwrap();
                for (number, (sql, values, index)) in item_statements().into_iter().enumerate() {
                    let name = format!("items_{mode}_{number}");
                    let prepare = AssertSqlSafe(format!("prepare {name} as {sql}"));
                    connection.execute(prepare).await.unwrap();
                    let explain = AssertSqlSafe(format!("explain execute {name} ({values})"));
                    let lines = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
                    let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
                    let plan = lines.join("\n");
                    let is_in_order = plan.contains(&format!(" using {index} on module_items"));
                    // The few items of a person may be sorted.
                    let are_few = plan.contains(&format!("Bitmap Index Scan on {index} "));
                    let is_found = is_in_order && !plan.contains("Sort") || are_few;
                    assert!(is_found, "{mode}: {sql}\n{plan}");
                }
            }
        })
        .await;
}

/// The list is that of the source, which has nothing beside it.
#[test]
fn no_query_of_results_is_left_out() {
    let reads = |text: &str| {
        ["from game_results", "join game_results"].map(|it| text.matches(it).count()).iter().sum()
    };
    let listed: usize = QUERIES.iter().map(|(_, sql)| reads(sql)).sum();
    let written: usize =
        [include_str!("../results.rs"), include_str!("../store.rs")].map(reads).iter().sum();
    assert_eq!(listed, written, "a query belongs into `queries!`, where its plan is checked");
}
