//! How long profile pages take with a million results: `cargo bench --bench profiles`.
//!
//! A program that prints figures. A thousand players with a thousand races each, in SQLite and, if there
//! is a server at 127.0.0.1:5432 (`TEST_POSTGRES` names another), in a PostgreSQL database of its own.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use typephoon_api::game::{Timestamp, UserId};
use typephoon_api::records::Records;
use typephoon_api::settings::{DbSettings, Settings};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PLAYERS: i64 = 1_000;
/// Games of five players; each player is in every two hundredth part of them, a thousand times.
const GAMES: i64 = 200_000;
const CALLS: i64 = 500;

/// The numbers from 1 to $N, in either database.
const NUMBERS: &str =
    "with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < $N)";

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:10} {:12} {:>9} {:>9} {:>9}", "", "", "median", "99th", "max");
    let folder = tempfile::tempdir()?;
    let mut settings = Settings { data_dir: folder.path().into(), ..Settings::default() };
    let records = Records::open(&settings, true).await?;
    let file = folder.path().join("typephoon.sqlite3");
    let mut lite = SqliteConnectOptions::new().filename(file).connect().await?;
    for sql in filling("1795368000000000 + i * 1000000", "1795368000000000") {
        lite.execute(AssertSqlSafe(sql)).await?;
    }
    measure("SQLite", &records).await?;

    let address = std::env::var("TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into());
    let server: PgConnectOptions = address.parse()?;
    let Ok(mut connection) = server.connect().await else {
        println!("PostgreSQL: no server at {address}");
        return Ok(());
    };
    let name = format!("typephoon_bench_{:016x}", rand::random::<u64>());
    connection.execute(AssertSqlSafe(format!("create database {name}"))).await?;
    let options = server.database(&name);
    let url = options.to_url_lossy().as_str().into();
    settings.db = Some(DbSettings { url: Some(url), ..DbSettings::default() });
    let records = Records::open(&settings, true).await?;
    let mut pg = options.connect().await?;
    for sql in filling("timestamptz '2026-11-22' + i * interval '1 second'", "current_timestamp") {
        pg.execute(AssertSqlSafe(sql)).await?;
    }
    let measured = measure("PostgreSQL", &records).await;
    connection.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await?;
    measured
}

/// Statements that fill the tables. `at` is the instant of game `i`.
fn filling(at: &str, now: &str) -> [String; 4] {
    let numbers = |count: i64| NUMBERS.replace("$N", &count.to_string());
    [
        format!(
            "{} insert into users (id, name, registered_at) select 'google-' || i, 'Player', {now} from numbers",
            numbers(PLAYERS)
        ),
        format!(
            "{} insert into games (id, created_at, status, game_type) select i, {at}, 2, 1 from numbers",
            numbers(GAMES)
        ),
        format!(
            "{} insert into game_results select i, 'google-' || (((i * 5 + seat) % {PLAYERS}) + 1), seat + 1,
                 60.0 + i % 50, 55.0 + i % 50, 90.0 + i % 10, {at}
             from numbers cross join (select 0 as seat union all select 1 union all select 2
                                      union all select 3 union all select 4) as seats",
            numbers(GAMES)
        ),
        "analyze".into(),
    ]
}

async fn measure(database: &str, records: &Records) -> Result<()> {
    let now = Timestamp::now() + Duration::from_secs(1_000_000_000);
    for page in ["statistics", "history", "graph 1000"] {
        let mut times = Vec::new();
        for call in 0..CALLS {
            let user = UserId::from(format!("google-{}", call * 7 % PLAYERS + 1).as_str());
            let begun = Instant::now();
            match page {
                "statistics" => drop(records.summary(&user).await?),
                "history" => {
                    records.races(&user, now).await?;
                    records.history(&user, 50, call % 10 * 50, now).await?;
                }
                _ => drop(records.history(&user, 1000, 0, now).await?),
            }
            times.push(begun.elapsed());
        }
        times.sort();
        let at = |part: usize| milliseconds(times[times.len() * part / 100]);
        let max = milliseconds(times[times.len() - 1]);
        println!("{database:10} {page:12} {:>6} ms {:>6} ms {max:>6} ms", at(50), at(99));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
