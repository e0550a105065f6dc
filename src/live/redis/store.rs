//! The operations of a [`Store`]: this pod reads the facts, applies a transition, and commits the outcome if no other pod
//! has changed the facts meanwhile (optimistic concurrency).

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand::RngExt;
use tokio::time::sleep;

use super::commit::{Commit, Committed};
use super::keys::{RedisKeys, SHARDS};
use super::records::ToWrite;
use super::{RedisLive, failed};
use crate::game::{Game, GameId, Stage, Timestamp};
use crate::live::{Applied, Fate, Index, Shared, Step, Store, Transition, Visitor};
use crate::telemetry::count;
use crate::{Error, Kind};

/// Attempts at a change while other pods change the same game.
const TRIES: u32 = 64;
/// Longest back-off between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(16);
/// Games that a scan reads at once. A finished game of five takes about 14 KiB while it is parsed.
const SCANNED: usize = 100;
/// If a change is early by less than this, by the clock of Redis, the pod waits: more than the error of its own clock
/// after a good answer.
const ABOUT_TO: Duration = Duration::from_millis(500);

#[async_trait]
impl Store for RedisLive {
    async fn find(&self, ids: &[GameId]) -> Result<Vec<Arc<Game>>, Error> {
        self.look_up(ids).await
    }

    async fn change(&self, id: GameId, transition: &mut Transition<'_>) -> Result<Applied, Error> {
        let came = Instant::now();
        let number = usize::try_from(id.0.unsigned_abs()).unwrap_or(0) % self.change_locks.len();
        let mut lock = self.change_locks[number].lock().await;
        if lock.failed.is_some_and(|failed| failed > came) {
            // An earlier change of this queue has timed out: the rest fail at once, instead of one timeout after another.
            return Err(Kind::UNAVAILABLE.into());
        }
        let changed = self.try_to_change(id, transition, &mut lock.known).await;
        if changed.as_ref().is_err_and(|error| error.kind() == Kind::UNAVAILABLE) {
            (lock.failed, lock.known) = (Some(Instant::now()), None);
        }
        drop(lock);
        let (applied, to_write) = changed?;
        if let Some(written) = to_write {
            self.write_down(written).await?;
        }
        Ok(applied)
    }

    async fn open(
        &self,
        make: &mut (dyn FnMut(GameId) -> Game + Send),
    ) -> Result<Arc<Game>, Error> {
        loop {
            // After the database was set up anew, an id may still be in use here: then the next one is tried.
            let game = Arc::new(make(self.next_id().await?));
            if let Committed::Done = self.commit(Commit::of_game(None, Some(&game))?).await? {
                self.note_saved(&game);
                return Ok(game);
            }
        }
    }

    async fn seek(&self, index: &Index, limit: usize) -> Result<Vec<Arc<Game>>, Error> {
        let ids = self.ids(index, limit).await?;
        let games = self.look_up(&ids).await?;
        self.forget_entries(index, &ids, &games).await?;
        Ok(games)
    }

    async fn scan(&self, visit: &mut Visitor<'_>) -> Result<(), Error> {
        let ids = self.ids(&Index::Every, usize::MAX).await?;
        for ids in ids.chunks(SCANNED) {
            let (games, _) = self.look_up_readable(ids).await?;
            games.iter().for_each(&mut *visit);
            self.forget_entries(&Index::Every, ids, &games).await?;
        }
        Ok(())
    }

    async fn read(&self, key: &str) -> Result<Option<Shared>, Error> {
        let mut command = redis::cmd("HGET");
        command.arg(self.keys.shared(key)).arg("value");
        let kept: Result<Option<String>, _> = command.query_async(&mut self.redis.clone()).await;
        Ok(kept.map_err(failed)?.and_then(|it| Shared::read(&it)))
    }

    async fn write(
        &self,
        key: &str,
        expected: Option<&Shared>,
        value: Option<Shared>,
    ) -> Result<bool, Error> {
        let commit = Commit::of_shared(self.keys.shared(key), expected, value.as_ref());
        Ok(matches!(self.commit(commit).await?, Committed::Done))
    }

    async fn probe(&self) -> Result<(), String> {
        let value = Shared::new(String::new(), Timestamp(0));
        let commit = Commit::of_shared(self.keys.probe(&self.pod), None, Some(&value));
        self.try_commit(&commit.for_a_second()).await.map(drop).map_err(|error| error.to_string())
    }
}

impl RedisLive {
    /// Applies a transition, and retries until its outcome is committed. The first attempt uses the `known` facts after
    /// this pod's last change, which are usually the newest. That a transition has nothing to do is decided by fresh
    /// facts only.
    async fn try_to_change(
        &self,
        id: GameId,
        transition: &mut Transition<'_>,
        known: &mut Option<Arc<Game>>,
    ) -> Result<(Applied, Option<ToWrite>), Error> {
        let mut guess = known.take().filter(|game| game.id == id);
        let mut tries = 0;
        while tries < TRIES {
            let is_guess = guess.is_some();
            let before = match guess.take() {
                Some(game) => game,
                None => match self.look_up(&[id]).await?.pop() {
                    Some(game) => game,
                    None => return Ok((Applied::Missing, None)),
                },
            };
            let mut next = Game::clone(&before);
            let step = transition(&mut next);
            if is_guess && step.fate() != Fate::Changed {
                continue;
            }
            next.version += 1;
            match self.carry_out(&before, Arc::new(next), step).await? {
                (Committed::Done, game, to_write) => {
                    *known = Some(game.clone()).filter(|_| step.fate() == Fate::Changed);
                    return Ok((Applied::Done(game), to_write));
                }
                (Committed::Early(early), ..) if early > ABOUT_TO => {
                    return Ok((Applied::TooEarly, None));
                }
                (Committed::Early(early), ..) => sleep(early).await,
                (Committed::Stale, ..) if is_guess => {}
                (Committed::Stale, ..) => {
                    tries += 1;
                    count::LIVE_CONFLICTS.add(1);
                    sleep(pause(tries)).await;
                }
            }
        }
        tracing::warn!(game = id.0, "other pods change a game so often that it cannot be changed");
        Err(Kind::UNAVAILABLE.into())
    }

    /// Commits a step, unless another pod was faster or it is too early. Returns the facts afterwards, and what has to be
    /// written to the records.
    async fn carry_out(
        &self,
        before: &Arc<Game>,
        after: Arc<Game>,
        step: Step<()>,
    ) -> Result<(Committed, Arc<Game>, Option<ToWrite>), Error> {
        let due = step.due().unwrap_or(Timestamp(0));
        let commit = match step.fate() {
            Fate::Unchanged => return Ok((Committed::Done, before.clone(), None)),
            Fate::Recorded => {
                let to_write = ToWrite::Results(before.clone());
                return Ok((Committed::Done, before.clone(), Some(to_write)));
            }
            Fate::Changed => Commit::of_game(Some(before), Some(&after))?,
            Fate::Over if before.stage > Stage::Lobby => {
                let early = due.after(self.time().await?);
                if !early.is_zero() {
                    return Ok((Committed::Early(early), after, None));
                }
                // The records first: if the pod dies in between, another one repeats it.
                self.keep_ended(before).await?;
                Commit::of_game(Some(before), None)?
            }
            Fate::Over => Commit::of_game(Some(before), None)?,
        };
        let committed = self.commit(commit.not_before(due)).await?;
        let to_write = ToWrite::after(before, &after, step.fate());
        Ok((committed, after, to_write.filter(|_| committed == Committed::Done)))
    }

    /// The ids that an index leads to, oldest first, at most so many.
    async fn ids(&self, index: &Index, limit: usize) -> Result<Vec<GameId>, Error> {
        let last = i64::try_from(limit).unwrap_or(i64::MAX) - 1;
        let range = |shard| {
            let mut command = redis::cmd("ZRANGE");
            command.arg(self.keys.index(shard, index)).arg(0).arg(last);
            command
        };
        let found: Vec<Vec<i64>> = self.redis.each((0..SHARDS).map(range)).await?;
        let mut ids: Vec<_> = found.into_iter().flatten().map(GameId).collect();
        ids.sort_unstable();
        ids.truncate(limit);
        Ok(ids)
    }

    /// The facts of those games that exist. One that cannot be parsed is an error if no other game is wanted.
    async fn look_up(&self, ids: &[GameId]) -> Result<Vec<Arc<Game>>, Error> {
        match self.look_up_readable(ids).await? {
            (_, Some(unreadable)) if ids.len() == 1 => Err(unreadable),
            (games, _) => Ok(games),
        }
    }

    /// The facts of those games that exist and can be parsed, and the error of one that cannot; it is logged.
    async fn look_up_readable(
        &self,
        ids: &[GameId],
    ) -> Result<(Vec<Arc<Game>>, Option<Error>), Error> {
        let get = |id: &GameId| {
            let mut command = redis::cmd("HGET");
            command.arg(self.keys.game(*id)).arg("value");
            command
        };
        let found: Vec<Option<String>> = self.redis.each(ids.iter().map(get)).await?;
        let (mut games, mut unreadable) = (Vec::with_capacity(ids.len()), None);
        for (id, facts) in ids.iter().zip(&found) {
            match facts.as_deref().map(serde_json::from_str::<Game>) {
                Some(Ok(game)) => games.push(Arc::new(game)),
                Some(Err(error)) => {
                    unreadable = Some(Error::internal(format!("game {id} in Redis: {error}")));
                }
                None => {}
            }
        }
        Ok((games, unreadable))
    }

    /// The version of each game's facts; `None` if it does not exist.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn versions(&self, ids: &[GameId]) -> Result<Vec<Option<u64>>, Error> {
        let get = |id: &GameId| {
            let mut command = redis::cmd("HGET");
            command.arg(self.keys.game(*id)).arg("version");
            command
        };
        self.timed("versions", self.redis.each(ids.iter().map(get))).await
    }

    /// Removes index entries of games that have expired.
    async fn forget_entries(
        &self,
        index: &Index,
        ids: &[GameId],
        found: &[Arc<Game>],
    ) -> Result<(), Error> {
        let gone = ids.iter().filter(|id| found.iter().all(|game| game.id != **id));
        let forget = |id: &GameId| {
            let mut command = redis::cmd("ZREM");
            command.arg(self.keys.index(RedisKeys::shard(*id), index)).arg(id.0);
            command
        };
        self.redis.each::<i64>(gone.map(forget)).await.map(drop)
    }
}

/// Back-off with jitter, longer with each attempt, so that pods do not collide again.
fn pause(tries: u32) -> Duration {
    let longest = Duration::from_millis(1 << tries.min(6)).min(LONGEST_PAUSE);
    rand::rng().random_range(Duration::ZERO..=longest)
}
