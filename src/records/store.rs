//! The interface of the record store: operations in the terms of the game.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use sqlx::{PgConnection, SqliteConnection};

use super::Change;
use super::db::{At, Db, open_lite, open_pg, timed, with_db};
use super::derived::Derivations;
use super::failure::failed;
use super::items::{derive_lite, derive_pg};
use super::probe::Writes;
use super::transaction::transaction;
use crate::Error;
use crate::game::{Door, Game, GameId, Stage, UserType};
use crate::settings::Settings;

/// `games.status` while players come and go.
const LOBBY: i32 = 0;
/// `games.status` while a race is prepared or run.
const IN_GAME: i32 = 1;
/// `games.status` of a game that is over.
const FINISHED: i32 = 2;
/// `games.game_type` of a race alone.
const SINGLE: i32 = 0;
/// `games.game_type` of a race against others.
const MULTI: i32 = 1;

/// The record store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Records {
    /// Users, games and results.
    pub(super) db: Db,
    /// The facts of this server's live games; the same file as `db`, if that is SQLite. `None` if they are in Redis.
    pub(super) local: Option<sqlx::SqlitePool>,
    /// Outcome of the latest writes.
    pub(super) writes: Writes,
    /// How modules derive items from results.
    pub(super) derivations: Arc<OnceLock<Derivations>>,
}

/// The connections of one database.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// `postgresql` or `sqlite`.
    pub database: &'static str,
    /// Open connections.
    pub open: u64,
    /// Idle connections among them.
    pub idle: u64,
}

impl Pool {
    fn of(database: &'static str, open: u32, idle: usize) -> Self {
        Self { database, open: open.into(), idle: idle as u64 }
    }
}

impl Records {
    /// Opens PostgreSQL if it is configured (`init` migrates its tables), else the SQLite file in the data directory,
    /// which is always migrated. That file also holds the facts of live games, unless they are in Redis: with both
    /// services there is no file.
    ///
    /// # Errors
    /// One sentence that names what cannot be opened.
    pub async fn open(settings: &Settings, init: bool) -> Result<Self, String> {
        let local = async || open_lite(&settings.data_dir).await;
        let is_shared = settings.redis.is_some();
        let (writes, derivations) = (Writes::default(), Arc::default());
        Ok(match &settings.db {
            Some(pg) => {
                let local = if is_shared { None } else { Some(local().await?) };
                Self { db: Db::Pg(open_pg(pg, init).await?), local, writes, derivations }
            }
            None => {
                let lite = local().await?;
                let local = Some(lite.clone()).filter(|_| !is_shared);
                Self { db: Db::Lite(lite), local, writes, derivations }
            }
        })
    }

    /// Whether the live games are stored apart from the records.
    pub(super) fn is_apart(&self) -> bool {
        matches!(self.db, Db::Pg(_))
    }

    /// The location of the records, for the log.
    pub fn place(&self, data_dir: &Path) -> String {
        match &self.db {
            Db::Lite(_) => format!("SQLite in {}", data_dir.display()),
            Db::Pg(pool) => {
                let options = pool.connect_options();
                format!("PostgreSQL at {}:{}", options.get_host(), options.get_port())
            }
        }
    }

    /// The connections of its pools.
    pub fn pools(&self) -> Vec<Pool> {
        let lite = |pool: &sqlx::SqlitePool| Pool::of("sqlite", pool.size(), pool.num_idle());
        match (&self.db, &self.local) {
            (Db::Lite(pool), _) => vec![lite(pool)],
            (Db::Pg(pool), local) => {
                let pg = Pool::of("postgresql", pool.size(), pool.num_idle());
                std::iter::once(pg).chain(local.as_ref().map(lite)).collect()
            }
        }
    }

    /// The highest game id so far; 0 if there is none.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn last_game(&self) -> Result<GameId, Error> {
        let sql = "select coalesce(max(id), 0) from games";
        let id = with_db!(&self.db, |pool| sqlx::query_scalar(sql).fetch_one(pool).await);
        id.map(GameId).map_err(failed)
    }

    /// Reserves ids for new games, if the store assigns them: PostgreSQL does, since other servers may open games in it
    /// too. `None` means to count from [`Self::last_game`].
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn reserve_games(&self) -> Result<Option<Vec<GameId>>, Error> {
        let Db::Pg(pool) = &self.db else { return Ok(None) };
        let sql =
            "select nextval(pg_get_serial_sequence('games', 'id')) from generate_series(1, 32)";
        let ids: Result<Vec<i64>, _> = sqlx::query_scalar(sql).fetch_all(pool).await;
        Ok(Some(ids.map_err(failed)?.into_iter().map(GameId).collect()))
    }

    /// The games of this server that were live when it stopped.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn live_games(&self) -> Result<Vec<Game>, Error> {
        let Some(local) = &self.local else { return Ok(Vec::new()) };
        let facts =
            sqlx::query_scalar::<_, String>("select facts from live_games order by game_id");
        let facts = facts.fetch_all(local).await.map_err(failed)?;
        let read = |facts: &String| {
            let unreadable =
                |error: &_| tracing::error!(%error, "a live game cannot be read; it is left out");
            serde_json::from_str(facts).inspect_err(unreadable).ok()
        };
        Ok(facts.iter().filter_map(read).collect())
    }

    /// Writes changes of live games; end markers after facts. In one database that is one transaction. Otherwise the
    /// local file is written first and cleaned up last: after a crash it contains everything that PostgreSQL knows
    /// about live games, and the next start writes what PostgreSQL lacks. So decided ranks stay.
    pub(super) async fn save(&self, changes: &[Change]) -> Result<(), sqlx::Error> {
        let _timed = timed!();
        let derived = self.derived(changes);
        match &self.db {
            Db::Lite(pool) => {
                transaction!(pool, |tx| {
                    save_records_lite(&mut tx, changes).await?;
                    derive_lite(&mut tx, &derived).await?;
                    if self.local.is_some() {
                        save_live(&mut tx, &changes.iter().collect::<Vec<_>>()).await?;
                    }
                })
                .await
            }
            Db::Pg(pool) => {
                let is_end = |change: &Change| matches!(change, Change::Ended { .. });
                let (ends, facts): (Vec<_>, Vec<_>) = changes.iter().partition(|it| is_end(it));
                self.save_local(&facts).await?;
                let saved: sqlx::Result<()> = transaction!(pool, |tx| {
                    save_records_pg(&mut tx, changes).await?;
                    derive_pg(&mut tx, &derived).await?;
                })
                .await;
                saved?;
                self.save_local(&ends).await
            }
        }
    }

    async fn save_local(&self, changes: &[&Change]) -> Result<(), sqlx::Error> {
        let Some(local) = self.local.as_ref().filter(|_| !changes.is_empty()) else {
            return Ok(());
        };
        transaction!(local, |tx| save_live(&mut tx, changes).await?).await
    }
}

/// The same statements for both databases, whose connections have no common type.
macro_rules! save_records {
    ($name:ident, $connection:ty) => {
        /// Writes the permanent data of a game: its row, and the results of registered players, which are counted in
        /// the same transaction. A player without a row in `users` is treated as a guest.
        async fn $name(tx: &mut $connection, changes: &[Change]) -> Result<(), sqlx::Error> {
            for change in changes {
                let game = match change {
                    Change::Saved(game) => game,
                    Change::Ended { game, at } => {
                        let end =
                            sqlx::query("update games set status = $2, end_at = $3 where id = $1");
                        end.bind(game.0).bind(FINISHED).bind(At(*at)).execute(&mut *tx).await?;
                        continue;
                    }
                };
                let status = if game.stage == Stage::Lobby { LOBBY } else { IN_GAME };
                let game_type = if game.door == Door::ALONE { SINGLE } else { MULTI };
                sqlx::query(UPSERT_GAME)
                    .bind(game.id.0)
                    .bind(At(game.opened_at))
                    .bind(game.starts_at.map(At))
                    .bind(status)
                    .bind(game_type)
                    .bind(count(game.people().count()))
                    .bind(count(game.finishers()))
                    .bind(game.door.key())
                    .execute(&mut *tx)
                    .await?;
                for player in &game.players {
                    let ranked = player.result.filter(|result| result.rank > 0);
                    let Some(result) = ranked else { continue };
                    if player.user.user_type != UserType::Registered {
                        continue;
                    }
                    sqlx::query(INSERT_RESULT)
                        .bind(game.id.0)
                        .bind(player.user.id.as_str())
                        .bind(i32::try_from(result.rank).unwrap_or(i32::MAX))
                        .bind(result.figures.wpm_raw)
                        .bind(result.figures.wpm)
                        .bind(result.figures.acc)
                        .bind(At(result.finished))
                        .execute(&mut *tx)
                        .await?;
                }
            }
            Ok(())
        }
    };
}

/// Pods that share a game may write facts out of order, so no value goes backwards. For a lobby, whose players come and
/// go, the latest write counts; the next change corrects it.
const UPSERT_GAME: &str =
    "insert into games (id, created_at, start_at, status, game_type, player_count, finish_count,
        invite_token)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (id) do update set
        start_at = coalesce(excluded.start_at, games.start_at),
        player_count = case when excluded.status >= games.status
            then excluded.player_count else games.player_count end,
        finish_count = case when excluded.finish_count > games.finish_count
            then excluded.finish_count else games.finish_count end,
        status = case when excluded.status > games.status
            then excluded.status else games.status end";

const INSERT_RESULT: &str =
    "insert into game_results (game_id, user_id, rank, wpm_raw, wpm_correct, accuracy, finished_at)
     select $1, id, $3, $4, $5, $6, $7 from users where id = $2
     on conflict (game_id, user_id) do nothing";

save_records!(save_records_lite, SqliteConnection);
save_records!(save_records_pg, PgConnection);

async fn save_live(tx: &mut SqliteConnection, changes: &[&Change]) -> Result<(), sqlx::Error> {
    for change in changes {
        match change {
            Change::Saved(game) => {
                let facts = serde_json::to_string(game)
                    .map_err(|error| sqlx::Error::Encode(error.into()))?;
                let sql = "insert into live_games (game_id, facts) values ($1, $2)
                           on conflict (game_id) do update set facts = excluded.facts";
                sqlx::query(sql).bind(game.id.0).bind(facts).execute(&mut *tx).await?;
            }
            Change::Ended { game, .. } => {
                let sql = "delete from live_games where game_id = $1";
                sqlx::query(sql).bind(game.0).execute(&mut *tx).await?;
            }
        }
    }
    Ok(())
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
