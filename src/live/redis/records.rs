//! Games on Redis and the records: ids of new games come from there; rows of games, and results, are written there.
//!
//! A result is written before it is acknowledged, and a game before it is removed. The opening, closing and preparation of a
//! lobby are written when the journal has room, without waiting: the next write repeats them.

use std::sync::Arc;
use std::time::Duration;

use super::{RedisLive, failed, millis};
use crate::Error;
use crate::game::{Game, GameId, Stage, Timestamp, UserId};
use crate::live::Fate;
use crate::records::{Change, Writing};

/// How long reserved ids are kept at least.
const IDS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// How long the roster of a game that is over is kept, so that its sockets are told, in milliseconds.
const FAREWELL: i64 = 60_000;

impl RedisLive {
    /// The next id of a game. It may be in use only if the records were set up anew.
    pub(super) async fn next_id(&self) -> Result<GameId, Error> {
        loop {
            let mut reserved = redis::cmd("LPOP");
            reserved.arg(self.keys.ids());
            let id: Option<i64> =
                reserved.query_async(&mut self.redis.clone()).await.map_err(failed)?;
            if let Some(id) = id {
                return Ok(GameId(id));
            }
            if let Some(id) = self.reserve_ids().await? {
                return Ok(id);
            }
        }
    }

    /// Reserves ids in the records for all pods; if the records do not hand out ids, Redis counts on from the last one.
    async fn reserve_ids(&self) -> Result<Option<GameId>, Error> {
        let _alone = self.reserving.lock().await;
        let mut redis = self.redis.clone();
        let mut left = redis::cmd("LLEN");
        left.arg(self.keys.ids());
        // Another task has reserved some meanwhile.
        if left.query_async::<u64>(&mut redis).await.map_err(failed)? > 0 {
            return Ok(None);
        }
        let mut pipeline = redis::pipe();
        if let Some(ids) = self.records.reserve_games().await? {
            let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
            pipeline.rpush(self.keys.ids(), ids).ignore();
            pipeline.pexpire(self.keys.ids(), millis(IDS_KEPT)).ignore();
            pipeline.exec_async(&mut redis).await.map_err(failed)?;
            return Ok(None);
        }
        let last = self.records.last_game().await?;
        let key = self.keys.last_id();
        pipeline.cmd("SET").arg(&key).arg(last.0).arg("NX").ignore();
        pipeline.incr(&key, 1).pexpire(&key, millis(IDS_KEPT)).ignore();
        let (id,): (i64,) = pipeline.query_async(&mut redis).await.map_err(failed)?;
        Ok(Some(GameId(id)))
    }

    /// Writes to the records what a change requires.
    pub(super) async fn write_down(&self, it: ToWrite) -> Result<(), Error> {
        match it {
            ToWrite::Results(game) => self.wait_until_written(game).await,
            ToWrite::Row(game) => {
                self.note_saved(&game);
                Ok(())
            }
            ToWrite::Gone(game) => {
                self.queue(Change::Ended { game, at: Timestamp::now() });
                self.forget_pods_of(game).await
            }
            ToWrite::Over(game) => self.forget_pods_of(game).await,
        }
    }

    async fn forget_pods_of(&self, game: GameId) -> Result<(), Error> {
        let mut command = redis::cmd("PEXPIRE");
        command.arg(self.keys.pods_of(game)).arg(FAREWELL);
        command.exec_async(&mut self.redis.clone()).await.map_err(failed)
    }

    /// Writes the facts of a game without waiting.
    pub(super) fn note_saved(&self, game: &Arc<Game>) {
        self.queue(Change::Saved(game.clone()));
    }

    fn queue(&self, change: Change) {
        // Without waiting for the write.
        let _: Option<Writing> = self.journal.try_reserve().map(|permit| permit.write(change));
    }

    /// Waits until the facts of a game are written.
    pub(super) async fn wait_until_written(&self, game: Arc<Game>) -> Result<(), Error> {
        self.journal.reserve().await?.write(Change::Saved(game)).done().await
    }

    /// Waits until the last facts of a game are written, and that it is over.
    pub(super) async fn keep_ended(&self, game: &Arc<Game>) -> Result<(), Error> {
        let saved = self.journal.reserve().await?.write(Change::Saved(game.clone()));
        let over = Change::Ended { game: game.id, at: Timestamp::now() };
        let ended = self.journal.reserve().await?.write(over);
        saved.done().await?;
        ended.done().await
    }
}

/// What a change requires to be written to the records.
pub(super) enum ToWrite {
    /// Results, before they are acknowledged.
    Results(Arc<Game>),
    /// The row of a game, when there is time.
    Row(Arc<Game>),
    /// That a lobby is over without a race.
    Gone(GameId),
    /// Nothing: it was written before the game was removed.
    Over(GameId),
}

impl ToWrite {
    /// What a change requires, if anything.
    pub(super) fn after(before: &Game, after: &Arc<Game>, fate: Fate) -> Option<Self> {
        match fate {
            Fate::Over if before.stage == Stage::Lobby => Some(Self::Gone(after.id)),
            Fate::Over => Some(Self::Over(after.id)),
            _ if results(before).ne(results(after)) => Some(Self::Results(after.clone())),
            _ => (row(before) != row(after)).then(|| Self::Row(after.clone())),
        }
    }
}

/// The parts of a game's row that change while it is live.
fn row(game: &Game) -> (bool, bool) {
    (game.stage > Stage::Lobby, game.starts_at.is_some())
}

/// The ranked results.
fn results(game: &Game) -> impl Iterator<Item = (&UserId, u32)> {
    let finished = game.players.iter().filter_map(|it| Some((&it.user.id, it.result?.rank)));
    finished.filter(|(_, rank)| *rank > 0)
}
