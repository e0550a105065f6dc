//! Databases for servers under test: the SQLite file in the data directory, or a PostgreSQL database of
//! the test's own.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::server::{Server, Settings};

/// The server in which databases are made, as of compose.yaml; `TEST_POSTGRES` names another.
const POSTGRES: &str = "postgres://postgres:postgres@127.0.0.1:5432/postgres";

/// Where a server under test keeps its records.
pub enum Database {
    /// In its data directory.
    Lite,
    /// In a PostgreSQL database, by its address.
    Pg(String),
}

impl Database {
    /// The settings that send a server there.
    pub fn settings(&self) -> Settings {
        match self {
            Self::Lite => Server::with().embedded(),
            Self::Pg(url) => Server::with().set("db.url", url).argument("--init"),
        }
    }

    /// Runs one statement, behind the back of the server.
    pub async fn execute(&self, server: &Server, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Lite => {
                let file = server.data_dir().join("typephoon.sqlite3");
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
                let mut connection = options.connect().await.expect("the server's file");
                connection.execute(sql).await.expect("a statement that is right");
            }
            Self::Pg(url) => {
                let options: PgConnectOptions = url.parse().expect("an address");
                let mut connection = options.connect().await.expect("the server's database");
                connection.execute(sql).await.expect("a statement that is right");
            }
        }
    }
}

/// Runs a test on SQLite, and on PostgreSQL. Without a PostgreSQL server the second is skipped, unless
/// `REQUIRE_SERVICES` is set.
pub async fn on_both(test: impl AsyncFn(Database)) {
    test(Database::Lite).await;

    let Some(server) = postgres().await else { return };
    let name = format!("typephoon_test_{:016x}", rand::random::<u64>());
    let url = create(&server, &name).await;
    let outcome = AssertUnwindSafe(test(Database::Pg(url))).catch_unwind().await;
    drop(&server, &name).await;
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// The server in which databases are made, if it is there.
pub async fn postgres() -> Option<PgConnectOptions> {
    let address = std::env::var("TEST_POSTGRES").unwrap_or_else(|_| POSTGRES.into());
    let server: PgConnectOptions = address.parse().expect("TEST_POSTGRES is an address");
    match server.connect().await {
        Ok(_) => return Some(server),
        Err(error) if std::env::var_os("REQUIRE_SERVICES").is_some() => {
            panic!("PostgreSQL is required at {address}: {error}")
        }
        Err(_) => eprintln!("skipped: no PostgreSQL at {address}"),
    }
    None
}

/// Makes a database, and returns its address.
pub async fn create(server: &PgConnectOptions, name: &str) -> String {
    execute(server, format!("create database {name}")).await;
    server.clone().database(name).to_url_lossy().to_string()
}

/// Drops a database, and closes its connections.
pub async fn drop(server: &PgConnectOptions, name: &str) {
    execute(server, format!("drop database {name} with (force)")).await;
}

async fn execute(server: &PgConnectOptions, sql: String) {
    let mut connection = server.connect().await.expect("PostgreSQL answers");
    connection.execute(AssertSqlSafe(sql)).await.expect("a statement that is right");
    connection.close().await.expect("a connection that closes");
}
