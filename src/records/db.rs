//! The two databases and their differences: how they are opened, and how they store timestamps.

use std::path::Path;
use std::time::Duration;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Database, Decode, Encode, Postgres, Sqlite, Type};
use time::OffsetDateTime;

use crate::game::Timestamp;
use crate::settings::DbSettings;

/// The file in the data directory.
const FILE: &str = "typephoon.sqlite3";
/// Concurrent readers; SQLite has one writer.
const READERS: u32 = 4;
/// Timeout of statements in PostgreSQL.
const STATEMENT_TIMEOUT: &str = "10s";
/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest back-off between two attempts to connect to PostgreSQL.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One of the two databases. A query is written once and runs on both: see `with_db!`.
#[derive(Clone, Debug)]
pub(super) enum Db {
    Lite(SqlitePool),
    Pg(PgPool),
}

/// Runs the same expression on either database; it must compile for both.
macro_rules! with_db {
    ($db:expr, |$pool:ident| $body:expr) => {{
        let _timed = $crate::records::db::timed!();
        match $db {
            $crate::records::db::Db::Lite($pool) => $body,
            $crate::records::db::Db::Pg($pool) => $body,
        }
    }};
}
pub(super) use with_db;

/// Measures the rest of the block as an operation with the name of the function.
macro_rules! timed {
    () => {{
        fn here() {}
        let here = std::any::type_name_of_val(&here);
        $crate::telemetry::Timed::begin(&$crate::telemetry::count::RECORDS_DURATION, here)
    }};
}
pub(super) use timed;

/// Opens the file in `data_dir`, creates it if needed, and migrates its tables.
pub(super) async fn open_lite(data_dir: &Path) -> Result<SqlitePool, String> {
    let file = data_dir.join(FILE);
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        // Readers continue while one writes; commits survive a crash of the process.
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true);
    let unusable = |error: String| format!("{} cannot be used: {error}", file.display());
    let pool = SqlitePoolOptions::new().max_connections(READERS).connect_with(options);
    let pool = pool.await.map_err(|error| unusable(error.to_string()))?;
    let migrated = super::migrations::of_sqlite().run(&pool).await;
    migrated.map_err(|error| unusable(error.to_string()))?;
    Ok(pool)
}

/// Waits until PostgreSQL answers. With `init` its tables are migrated; those of the Python backend are adopted as they
/// stand.
pub(super) async fn open_pg(settings: &DbSettings, init: bool) -> Result<PgPool, String> {
    let options = pg_options(settings)?;
    let database = options.get_database().unwrap_or_default();
    let place = format!("{}:{}/{database}", options.get_host(), options.get_port());
    let pool = PgPoolOptions::new()
        .max_connections(settings.pool_size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.clone());
    let mut pause = Duration::from_millis(200);
    while let Err(error) = reach(&options).await {
        // Wrong credentials or unknown database (SQLSTATE 28, 3D): waiting does not help.
        let code = error.as_database_error().and_then(|it| it.code());
        if code.is_some_and(|code| code.starts_with("28") || code.starts_with("3D")) {
            return Err(format!("PostgreSQL at {place} refuses us: {error}"));
        }
        tracing::warn!("waiting for PostgreSQL at {place}: {error}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    let tables = super::migrations::of_postgres();
    if init {
        let migrated = tables.run(&pool).await;
        migrated.map_err(|error| format!("the tables of PostgreSQL at {place}: {error}"))?;
        return Ok(pool);
    }
    let newest = tables.iter().map(|it| it.version).max();
    let there = sqlx::query_scalar("select max(version) from _sqlx_migrations where success");
    let there: Option<i64> = match there.fetch_one(&pool).await {
        Ok(version) => version,
        // SQLSTATE 42P01: undefined table.
        Err(error)
            if error
                .as_database_error()
                .is_some_and(|it| it.code().as_deref() == Some("42P01")) =>
        {
            None
        }
        Err(error) => return Err(format!("PostgreSQL at {place} cannot be used: {error}")),
    };
    if there < newest {
        return Err(format!(
            "PostgreSQL at {place} lacks tables of this version; start once with --init"
        ));
    }
    Ok(pool)
}

/// One attempt, for its error: the pool retries for some time, and then only reports a timeout.
async fn reach(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let tried = async { options.connect().await?.close().await };
    let in_vain = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(ACQUIRE_TIMEOUT, tried).await.unwrap_or_else(in_vain)
}

fn pg_options(settings: &DbSettings) -> Result<PgConnectOptions, String> {
    let options = match &settings.url {
        Some(url) => url.expose().parse().map_err(|_| "db.url is no PostgreSQL address")?,
        None => PgConnectOptions::new()
            .host(&settings.host)
            .port(settings.port)
            .username(&settings.username)
            .password(settings.password.expose())
            .database(&settings.db),
    };
    let options: PgConnectOptions = options;
    let options = options.options([("statement_timeout", STATEMENT_TIMEOUT)]);
    // Below `info` the lines only feed the spans (`telemetry::database`), as with SQLite by default.
    let level = if settings.echo {
        tracing::log::LevelFilter::Info
    } else {
        tracing::log::LevelFilter::Debug
    };
    Ok(options.log_statements(level).application_name("typephoon-api"))
}

/// A timestamp as the databases store it: `timestamptz` in PostgreSQL, whole microseconds since 1970 in SQLite, which
/// keeps precision and order.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(pub(super) Timestamp);

impl Type<Postgres> for At {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for At {
    fn encode_by_ref(
        &self,
        buffer: &mut <Postgres as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <OffsetDateTime as Encode<'_, Postgres>>::encode(self.0.to_datetime(), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for At {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let at = <OffsetDateTime as Decode<'r, Postgres>>::decode(value)?;
        Ok(Self(at.into()))
    }
}

impl Type<Sqlite> for At {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for At {
    fn encode_by_ref(
        &self,
        buffer: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'_, Sqlite>>::encode(self.0.0, buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for At {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Timestamp(<i64 as Decode<'r, Sqlite>>::decode(value)?)))
    }
}
