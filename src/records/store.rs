//! Records in a SQLite file.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::Change;
use crate::Error;
use crate::game::{Game, GameId, Stage, Timestamp};

/// `games.status` while players come and go.
const LOBBY: i64 = 0;
/// `games.status` while a race is prepared or run.
const IN_GAME: i64 = 1;
/// `games.status` of what is over.
const FINISHED: i64 = 2;
/// `games.game_type` of a race against others.
const MULTI: i64 = 1;

/// The file in the data directory.
const FILE: &str = "typephoon.sqlite3";

/// Readers at once; SQLite has one writer.
const CONNECTIONS: u32 = 4;

/// The record store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Records(SqlitePool);

impl Records {
    /// Opens the file in `data_dir`, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// One sentence that names the file.
    pub async fn open(data_dir: &Path) -> Result<Self, String> {
        let file = data_dir.join(FILE);
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            // Readers go on while one writes; what is committed survives the end of the process.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true);
        let unusable = |error| format!("{} cannot be used: {error}", file.display());
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options);
        let pool = pool.await.map_err(|error| unusable(error.to_string()))?;
        let migrated = sqlx::migrate!("migrations/sqlite").run(&pool).await;
        migrated.map_err(|error| unusable(error.to_string()))?;
        Ok(Self(pool))
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("select 1").execute(&self.0).await.map_err(Error::internal)?;
        Ok(())
    }

    /// The highest id that a game has had; 0 if there was none.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if the store does not answer.
    pub async fn last_game(&self) -> Result<GameId, Error> {
        let id = sqlx::query_scalar("select coalesce(max(id), 0) from games");
        id.fetch_one(&self.0).await.map(GameId).map_err(Error::internal)
    }

    /// The games that were not over when the server stopped.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if the store does not answer.
    pub async fn live_games(&self) -> Result<Vec<Game>, Error> {
        let facts =
            sqlx::query_scalar::<_, String>("select facts from live_games order by game_id");
        let facts = facts.fetch_all(&self.0).await.map_err(Error::internal)?;
        let read = |facts: &String| {
            let unreadable =
                |error: &_| tracing::error!(%error, "a live game cannot be read; it is left out");
            serde_json::from_str(facts).inspect_err(unreadable).ok()
        };
        Ok(facts.iter().filter_map(read).collect())
    }

    /// Writes changes of live games, all or none.
    pub(super) async fn save(&self, changes: &[Change]) -> Result<(), sqlx::Error> {
        let mut tx = self.0.begin_with("begin immediate").await?;
        for change in changes {
            match change {
                Change::Saved(game) => save_game(&mut tx, game).await?,
                Change::Ended { game, at } => end_game(&mut tx, *game, *at).await?,
            }
        }
        tx.commit().await
    }
}

async fn save_game(tx: &mut sqlx::SqliteConnection, game: &Game) -> Result<(), sqlx::Error> {
    let status = if game.stage == Stage::Lobby { LOBBY } else { IN_GAME };
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query(
        "insert into games (id, created_at, start_at, status, game_type, player_count, finish_count)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (id) do update set start_at = excluded.start_at, status = excluded.status,
            player_count = excluded.player_count, finish_count = excluded.finish_count",
    )
    .bind(game.id.0)
    .bind(game.opened_at.to_datetime())
    .bind(game.starts_at.map(Timestamp::to_datetime))
    .bind(status)
    .bind(MULTI)
    .bind(count(game.players.len()))
    .bind(count(game.finishers()))
    .execute(&mut *tx)
    .await?;
    let facts = serde_json::to_string(game).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "insert into live_games (game_id, facts) values ($1, $2)
         on conflict (game_id) do update set facts = excluded.facts",
    )
    .bind(game.id.0)
    .bind(facts)
    .execute(tx)
    .await?;
    Ok(())
}

async fn end_game(
    tx: &mut sqlx::SqliteConnection,
    game: GameId,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("update games set status = $2, end_at = $3 where id = $1")
        .bind(game.0)
        .bind(FINISHED)
        .bind(at.to_datetime())
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from live_games where game_id = $1").bind(game.0).execute(tx).await?;
    Ok(())
}
