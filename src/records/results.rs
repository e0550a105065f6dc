//! Results, for profiles.

use super::Records;
use super::db::{At, with_db};
use super::failure::failed;
use crate::Error;
use crate::game::{GameId, Timestamp, UserId};

/// One stored race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeptResult {
    /// Single, multi or team, by their numbers in the tables.
    pub game_type: i32,
    /// The game.
    pub game: GameId,
    /// Words per minute.
    pub wpm: f64,
    /// Words per minute, including wrong letters.
    pub wpm_raw: f64,
    /// In percent.
    pub accuracy: f64,
    /// When the result arrived.
    pub finished_at: Timestamp,
    /// Order of arrival, from 1.
    pub rank: i32,
}

/// Speed and accuracy, of one race or on average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Average {
    /// Words per minute.
    pub wpm: f64,
    /// In percent.
    pub accuracy: f64,
}

/// Statistics of all races of a player. All zero without races.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Number of races.
    pub races: i64,
    /// The fastest race, with its accuracy.
    pub best: Average,
    /// The average of the last ten.
    pub last_ten: Average,
    /// The average of all.
    pub all: Average,
}

type KeptResultRow = (i32, i64, f64, f64, f64, At, i32);
type MeanRow = (i64, Option<f64>, Option<f64>);

/// Declares the queries of profiles in a list, so that a test checks the query plan of each.
macro_rules! queries {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*
        /// All queries, by name. `$1` is the player.
        #[cfg(test)]
        pub(super) const QUERIES: &[(&str, &str)] = &[$((stringify!($name), $name),)*];
    };
}

// The Python backend stored any figures: those that are not numbers are left out everywhere. Queries with the newest
// first phrase this so that SQLite does not use the index by speed, which would read and sort all results of the
// player. PostgreSQL treats both the same.
queries! {
    HISTORY = "select g.game_type, r.game_id, r.wpm_correct, r.wpm_raw, r.accuracy, r.finished_at, r.rank
        from (
            select game_id, wpm_correct, wpm_raw, accuracy, finished_at, rank from game_results
            where user_id = $1 and not (wpm_correct < 0 or wpm_correct > 1e9)
                and wpm_raw between 0 and 1e9 and accuracy between 0 and 1e9 and finished_at <= $4
            order by finished_at desc, game_id desc
            limit $2 offset $3
        ) as r join games g on g.id = r.game_id
        order by r.finished_at desc, r.game_id desc";

    EVERYTHING = "select g.game_type, r.game_id, r.wpm_correct, r.wpm_raw, r.accuracy, r.finished_at, r.rank
        from game_results r join games g on g.id = r.game_id where r.user_id = $1
        order by r.finished_at desc, r.game_id desc";

    COUNT = "select count(*) from game_results
        where user_id = $1 and not (wpm_correct < 0 or wpm_correct > 1e9)
            and wpm_raw between 0 and 1e9 and accuracy between 0 and 1e9 and finished_at <= $2";

    ALL = "select count(*), avg(wpm_correct), avg(accuracy) from game_results
        where user_id = $1 and wpm_correct between 0 and 1e9 and wpm_raw between 0 and 1e9
            and accuracy between 0 and 1e9";

    LAST_TEN = "select count(*), avg(wpm_correct), avg(accuracy) from (
            select wpm_correct, accuracy from game_results
            where user_id = $1 and not (wpm_correct < 0 or wpm_correct > 1e9)
                and wpm_raw between 0 and 1e9 and accuracy between 0 and 1e9
            order by finished_at desc, game_id desc limit 10
        ) as last_ten";

    BEST = "select wpm_correct, accuracy from game_results
        where user_id = $1 and wpm_correct between 0 and 1e9 and wpm_raw between 0 and 1e9
            and accuracy between 0 and 1e9
        order by wpm_correct desc, finished_at limit 1";
}

impl Records {
    /// Results of a player that arrived by `until`, newest first: `limit` of them, after the first `offset`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn history(
        &self,
        user: &UserId,
        limit: i64,
        offset: i64,
        until: Timestamp,
    ) -> Result<Vec<KeptResult>, Error> {
        let rows: Result<Vec<KeptResultRow>, _> = with_db!(&self.db, |pool| {
            let query = sqlx::query_as(HISTORY).bind(user.as_str()).bind(limit).bind(offset);
            query.bind(At(until)).fetch_all(pool).await
        });
        Ok(rows.map_err(failed)?.into_iter().map(kept).collect())
    }

    /// All results of a player, newest first, including those with impossible figures.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn all_results(&self, user: &UserId) -> Result<Vec<KeptResult>, Error> {
        let rows: Result<Vec<KeptResultRow>, _> = with_db!(&self.db, |pool| {
            sqlx::query_as(EVERYTHING).bind(user.as_str()).fetch_all(pool).await
        });
        Ok(rows.map_err(failed)?.into_iter().map(kept).collect())
    }

    /// The number of results of a player that arrived by `until`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn races(&self, user: &UserId, until: Timestamp) -> Result<i64, Error> {
        let races = with_db!(&self.db, |pool| {
            let query = sqlx::query_scalar(COUNT).bind(user.as_str()).bind(At(until));
            query.fetch_one(pool).await
        });
        races.map_err(failed)
    }

    /// Statistics of all races of a player.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the store does not answer, or refuses.
    pub async fn summary(&self, user: &UserId) -> Result<Summary, Error> {
        let best: Result<Option<(f64, f64)>, _> = with_db!(&self.db, |pool| {
            sqlx::query_as(BEST).bind(user.as_str()).fetch_optional(pool).await
        });
        let (races, all) = self.mean(ALL, user).await?;
        let (_, last_ten) = self.mean(LAST_TEN, user).await?;
        let best = best.map_err(failed)?.unwrap_or_default();
        let best = Average { wpm: best.0, accuracy: best.1 };
        Ok(Summary { races, best, last_ten, all })
    }

    async fn mean(&self, sql: &'static str, user: &UserId) -> Result<(i64, Average), Error> {
        let row: Result<MeanRow, _> = with_db!(&self.db, |pool| {
            sqlx::query_as(sql).bind(user.as_str()).fetch_one(pool).await
        });
        let (races, wpm, accuracy) = row.map_err(failed)?;
        let mean = Average { wpm: wpm.unwrap_or_default(), accuracy: accuracy.unwrap_or_default() };
        Ok((races, mean))
    }
}

fn kept(
    (game_type, game, wpm, wpm_raw, accuracy, At(finished_at), rank): KeptResultRow,
) -> KeptResult {
    KeptResult { game_type, game: GameId(game), wpm, wpm_raw, accuracy, finished_at, rank }
}
