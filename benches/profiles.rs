//! How long profile pages take with a million results, and pages of a board with a million entries:
//! `cargo bench --bench profiles`, with `-- --entries 10000000` for a larger board.
//!
//! A program that prints figures. A thousand players with a thousand races each, in SQLite and, if there
//! is a server at 127.0.0.1:5432 (`TEST_POSTGRES` names another), in a PostgreSQL database of its own.

mod figures;

use std::time::{Duration, Instant};

use figures::Compared;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use typephoon_api::game::{Timestamp, UserId};
use typephoon_api::records::{Cursor, Range, Records, SortKey};
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
    let entries = entries_wanted()?;
    println!("{:10} {:12} {:>9} {:>9} {:>9}", "", "", "median", "99th", "max");
    let folder = tempfile::tempdir()?;
    let mut settings = Settings { data_dir: folder.path().into(), ..Settings::default() };
    let records = Records::open(&settings, true).await?;
    let file = folder.path().join("typephoon.sqlite3");
    let mut lite = SqliteConnectOptions::new().filename(file).connect().await?;
    for sql in filling("1795368000000000 + i * 1000000", "1795368000000000") {
        lite.execute(AssertSqlSafe(sql)).await?;
    }
    for sql in board(entries, "unhex($H)", "printf('%015x', $N)", "1795368000000000") {
        lite.execute(AssertSqlSafe(sql)).await?;
    }
    measure("SQLite", &records).await?;
    measure_board("SQLite", &records, entries).await?;

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
    let digits = "lpad(to_hex($N), 15, '0')";
    for sql in board(entries, "decode($H, 'hex')", digits, "current_timestamp") {
        pg.execute(AssertSqlSafe(sql)).await?;
    }
    // As autovacuum would, some time later.
    pg.execute("vacuum analyze").await?;
    let mut measured = measure("PostgreSQL", &records).await;
    if measured.is_ok() {
        measured = measure_board("PostgreSQL", &records, entries).await;
    }
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

/// The entries of the board, from the command line.
fn entries_wanted() -> Result<i64> {
    let mut arguments = std::env::args().skip_while(|it| it != "--entries").skip(1);
    Ok(arguments.next().map_or(Ok(1_000_000), |it| it.parse())?)
}

/// The collection of the board.
const COLLECTION: &str = "boards.entries";

/// What the sort keys of the board begin with.
fn board_key() -> SortKey {
    SortKey::default().text("all:words")
}

/// Statements that fill a board: the entries lie in the table in another order than on the board. `bytes` turns an
/// expression for hexadecimal digits into their bytes, and `digits` one for a number into 15 such digits.
fn board(entries: i64, bytes: &str, digits: &str, now: &str) -> [String; 3] {
    let numbers = NUMBERS.replace("$N", &entries.to_string());
    let text: String = "all:words".bytes().map(|byte| format!("{byte:02x}")).collect();
    // 7919 is prime. The first digit of an integer that is not negative is 8 (`SortKey`).
    let place = digits.replace("$N", &format!("(cast(i as bigint) * 7919 % {entries})"));
    let sort = bytes.replace("$H", &format!("'01{text}00028' || {place}"));
    let body = r#"'{"board":"all:words","user":"google-' || i || '","name":"Player ' || i ||
        '","game":35,"figures":{"wpm":71.5,"wpm_raw":76.5,"acc":97.5},"finished":1795368000000000}'"#;
    let (table, index) = ("module_items", "module_items_sort_1");
    [
        format!("drop index {index}"),
        format!(
            "{numbers} insert into {table} (collection, key, version, form, body, sort_1, updated_at)
             select '{COLLECTION}', 'all:words:google-' || i, 1, 1, {body}, {sort}, {now} from numbers"
        ),
        format!("create index {index} on {table} (collection, sort_1, key) where sort_1 is not null"),
    ]
}

async fn measure_board(database: &str, records: &Records, entries: i64) -> Result<()> {
    let (place, range) = ((COLLECTION, 1), Range::within("standing", &board_key()));
    let at = |number: i64| Cursor::at(&board_key().integer(number), "");
    let all = records.count_items(place, &range, None, u32::MAX).await?;
    assert_eq!(i64::try_from(all)?, entries, "the sort keys are those of the library");
    for page in ["board, first", "board, deep", "own rank"] {
        let mut times = Vec::new();
        for call in 1..=CALLS {
            let somewhere = at(call * 104_729 % entries);
            let begun = Instant::now();
            match page {
                "board, first" => drop(records.item_page(place, &range, None, 51).await?),
                "board, deep" => {
                    let rows = records.item_page(place, &range, Some(&somewhere), 51).await?;
                    assert!(!rows.is_empty(), "a place on the board");
                }
                _ => {
                    let before = Some(&somewhere);
                    records.count_items(place, &range, before, 10_000).await?;
                }
            }
            times.push(begun.elapsed());
        }
        print(database, page, times);
    }
    Ok(())
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
        print(database, page, times);
    }
    Ok(())
}

fn print(database: &str, page: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| milliseconds(times[times.len() * part / 100]);
    let max = milliseconds(times[times.len() - 1]);
    let median = times[times.len() / 2].as_secs_f64() * 1e3;
    figures::note(&format!("{database}, page {page}, median"), "ms", median, Compared::Frame);
    println!("{database:10} {page:12} {:>6} ms {:>6} ms {max:>6} ms", at(50), at(99));
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
