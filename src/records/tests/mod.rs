//! One suite for both databases: each test runs on a SQLite file and on a PostgreSQL database of its own.

mod adoption;
mod audit;
mod clocks;
mod items;
mod logins;
mod plans;
mod profiles;
mod rollback;
mod shared;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{ConnectOptions, Connection, Executor};

use super::db::with_db;
use super::{Change, Records};
use crate::game::{
    Figures, Game, GameId, Part, Parts, Player, Result, Stage, Timestamp, User, UserId, UserType,
};
use crate::settings::{DbSettings, Settings};

/// The server in which databases are made, as of compose.yaml; `TEST_POSTGRES` names another.
const POSTGRES: &str = "postgres://postgres:postgres@127.0.0.1:5432/postgres";

/// A PostgreSQL database for one test. Gone when it is dropped by [`Scratch::drop_it`].
pub(crate) struct Scratch {
    server: PgConnectOptions,
    name: String,
}

impl Scratch {
    /// `None` if there is no server, and none is required.
    pub(crate) async fn make() -> Option<Self> {
        let address = std::env::var("TEST_POSTGRES").unwrap_or_else(|_| POSTGRES.into());
        let server: PgConnectOptions = address.parse().expect("TEST_POSTGRES is an address");
        let mut connection = match server.connect().await {
            Ok(connection) => connection,
            Err(error) if std::env::var_os("REQUIRE_SERVICES").is_some() => {
                panic!("PostgreSQL is required at {address}: {error}")
            }
            Err(_) => {
                eprintln!("skipped: no PostgreSQL at {address}");
                return None;
            }
        };
        let name = format!("typephoon_test_{:016x}", rand::random::<u64>());
        let create = sqlx::AssertSqlSafe(format!("create database {name}"));
        connection.execute(create).await.expect("a database for the test");
        connection.close().await.expect("a connection that closes");
        Some(Self { server, name })
    }

    pub(crate) fn settings(&self) -> DbSettings {
        let options = self.server.clone().database(&self.name);
        DbSettings { url: Some(options.to_url_lossy().as_str().into()), ..DbSettings::default() }
    }

    async fn pool(&self) -> PgPool {
        PgPool::connect_with(self.server.clone().database(&self.name)).await.expect("the database")
    }

    /// Lends the database to a test, and drops it however that ends.
    pub(crate) async fn lend(self, test: impl AsyncFnOnce(PgConnectOptions)) {
        let test = test(self.server.clone().database(&self.name));
        let outcome = AssertUnwindSafe(test).catch_unwind().await;
        self.drop_it().await;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }

    async fn drop_it(self) {
        let mut connection = self.server.connect().await.expect("the server");
        let drop = sqlx::AssertSqlSafe(format!("drop database {} with (force)", self.name));
        connection.execute(drop).await.expect("a database that goes away");
    }
}

/// Runs a test on SQLite, and on PostgreSQL.
pub(crate) async fn on_both(test: impl AsyncFn(Records)) {
    let folder = tempfile::tempdir().expect("a directory for the test");
    let mut settings = Settings { data_dir: folder.path().into(), ..Settings::default() };
    test(Records::open(&settings, false).await.expect("a SQLite file")).await;

    let Some(scratch) = Scratch::make().await else { return };
    let other = tempfile::tempdir().expect("a directory for the test");
    settings.data_dir = other.path().into();
    settings.db = Some(scratch.settings());
    scratch
        .lend(async |_| {
            test(Records::open(&settings, true).await.expect("a PostgreSQL database")).await;
        })
        .await;
}

/// When all results of these tests have arrived.
const LATER: Timestamp = Timestamp(4_000_000_000_000_000);

/// An instant, in seconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp(1_795_368_000_000_000 + seconds * 1_000_000)
}

fn player(
    id: &str,
    user_type: UserType,
    rank: u32,
    wpm: f64,
    acc: f64,
    finished: Timestamp,
) -> Player {
    let user = User { id: id.into(), name: id.to_uppercase(), user_type };
    let figures = Figures { wpm, wpm_raw: wpm + 5.0, acc };
    let result = Some(Result { rank, finished, figures, unranked: None });
    Player { result, ..Player::new(user, None) }
}

/// Something that a module stores.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Weather(String);

impl Part for Weather {
    const NAME: &'static str = "weather";
}

fn parts() -> Parts {
    Parts::default().with(Weather("rain".into()))
}

fn game(id: i64, players: Vec<Player>) -> Change {
    Change::Saved(Arc::new(Game {
        stage: Stage::Running,
        closes_at: at(5),
        starts_at: Some(at(10)),
        ends_at: at(900),
        players,
        ..Game::opened(GameId(id), at(0), parts())
    }))
}
