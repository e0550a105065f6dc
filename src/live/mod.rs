//! The live state: the facts of lobbies and races, as values that all pods share.
//!
//! A game is a value. It changes by *transitions*: pure functions of handler modules that get the facts, change them, and
//! say so in a [`Step`]. A [`Store`] knows no rule: it applies each transition to the newest facts, as a whole, so that
//! players who come, leave and finish at the same time are all counted. In one process ([`InProcess`]) a change is written
//! to the journal before it is announced; on Redis ([`RedisLive`]), which several pods share, a result is.

mod index;
mod process;
mod redis;
mod shared;
mod shelf;
mod step;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::redis::{BeatAnswer, RedisLive};
pub use index::Index;
pub use process::InProcess;
pub use shared::{OneTime, Shared};
pub use step::{Fate, Step};

use crate::game::{Game, GameId, PodName, Timestamp, User, UserId};
use crate::telemetry::{StoreLocation, live_operation};
use crate::{Error, Kind};

/// A transition, as a store gets it. It may run several times, each time on fresh facts; its last answer counts.
pub type Transition<'a> = dyn FnMut(&mut Game) -> Step<()> + Send + 'a;

/// The outcome of a transition.
#[derive(Clone, Debug)]
pub enum Applied {
    /// There is no such game.
    Missing,
    /// It is too early by the clock that all pods share: nothing has changed.
    TooEarly,
    /// It was applied; these are the facts afterwards, or the last ones if the game is over.
    Done(Arc<Game>),
}

/// Called with the facts of each game.
pub type Visitor<'a> = dyn FnMut(&Arc<Game>) + Send + 'a;

/// Stores the values of games, and small values under keys.
///
/// Every operation fails with `SERVICE_UNAVAILABLE` if the store does not answer or cannot write.
#[async_trait]
pub trait Store: Send + Sync {
    /// The facts of the games that exist, in the order of `ids`.
    async fn find(&self, ids: &[GameId]) -> Result<Vec<Arc<Game>>, Error>;

    /// Applies a transition to a game.
    async fn change(&self, id: GameId, transition: &mut Transition<'_>) -> Result<Applied, Error>;

    /// Opens a game under a new id. `make` may be called again, with another id.
    async fn open(&self, make: &mut (dyn FnMut(GameId) -> Game + Send))
    -> Result<Arc<Game>, Error>;

    /// The games that an index leads to, oldest first, at most so many.
    async fn seek(&self, index: &Index, limit: usize) -> Result<Vec<Arc<Game>>, Error>;

    /// Visits the facts of every game; of many games, not all are in memory at once.
    async fn scan(&self, visit: &mut Visitor<'_>) -> Result<(), Error>;

    /// The value under a key. It may be an expired one that is not removed yet.
    async fn read(&self, key: &str) -> Result<Option<Shared>, Error>;

    /// Stores a value under a key (`None` removes it), if the current one is `expected`. Returns whether it did.
    async fn write(
        &self,
        key: &str,
        expected: Option<&Shared>,
        value: Option<Shared>,
    ) -> Result<bool, Error>;

    /// Checks that the store works, with a write.
    ///
    /// # Errors
    /// The cause, for the log.
    async fn probe(&self) -> Result<(), String>;

    /// Removes expired values under keys, unless the store does that by itself.
    fn expire(&self, _now: Timestamp) {}
}

/// The live state as handler modules see it; each operation is measured and traced. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    store: Arc<dyn Store>,
    location: StoreLocation,
    pod: PodName,
}

impl Live {
    /// The live state of a single server.
    pub fn in_process(store: InProcess) -> Self {
        Self { store: Arc::new(store), location: StoreLocation::HERE, pod: "here".into() }
    }

    /// The live state of one of several pods.
    pub fn on_redis(store: RedisLive) -> Self {
        let (location, pod) = (store.location().clone(), store.pod().clone());
        Self { store: Arc::new(store), location, pod }
    }

    #[cfg(test)]
    pub(crate) fn of(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), location: StoreLocation::HERE, pod: "here".into() }
    }

    /// This pod, as it is stored with its sockets.
    pub fn pod(&self) -> &PodName {
        &self.pod
    }

    /// Applies a transition to a game. Returns its answer and the facts afterwards; `None` if there is no such game, or if
    /// it is too early by the clock that all pods share.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer or cannot write; the change may have happened all the same.
    pub async fn change<T: Send>(
        &self,
        operation: &'static str,
        id: GameId,
        mut transition: impl FnMut(&mut Game) -> Step<T> + Send,
    ) -> Result<Option<(T, Arc<Game>)>, Error> {
        let mut outcome = None;
        let mut transition = |game: &mut Game| {
            let (told, step) = transition(game).split();
            outcome = Some(told);
            step
        };
        let work = self.store.change(id, &mut transition);
        match live_operation(&self.location, operation, work).await? {
            Applied::Done(game) => Ok(outcome.map(|outcome| (outcome, game))),
            Applied::Missing | Applied::TooEarly => Ok(None),
        }
    }

    /// The same for a transition without an answer: returns the facts afterwards, if it changed them.
    ///
    /// # Errors
    /// As of [`change`](Self::change).
    pub async fn advance(
        &self,
        operation: &'static str,
        id: GameId,
        mut transition: impl FnMut(&mut Game) -> Step<()> + Send,
    ) -> Result<Option<Arc<Game>>, Error> {
        let told = |game: &mut Game| {
            let step = transition(game);
            let is_change = step.is_change();
            step.map(|()| is_change)
        };
        let changed = self.change(operation, id, told).await?;
        Ok(changed.filter(|(is_change, _)| *is_change).map(|(_, game)| game))
    }

    /// Opens a game under a new id. `make` may be called again, with another one.
    ///
    /// # Errors
    /// As of [`change`](Self::change).
    pub async fn open(
        &self,
        mut make: impl FnMut(GameId) -> Game + Send,
    ) -> Result<Arc<Game>, Error> {
        live_operation(&self.location, "open", self.store.open(&mut make)).await
    }

    /// The facts of a game.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn find(&self, id: GameId) -> Result<Option<Arc<Game>>, Error> {
        Ok(live_operation(&self.location, "find", self.store.find(&[id])).await?.pop())
    }

    /// The games that an index leads to, oldest first, at most so many.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn seek(&self, index: Index, limit: usize) -> Result<Vec<Arc<Game>>, Error> {
        live_operation(&self.location, "seek", self.store.seek(&index, limit)).await
    }

    /// The games in which a user has a seat, oldest first, as long as they can be read.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn played(&self, user: &UserId) -> Result<Vec<Arc<Game>>, Error> {
        let mut games = self.seek(Index::Player(user.clone()), usize::MAX).await?;
        games.retain(|game| game.player(user).is_some());
        Ok(games)
    }

    /// Visits the facts of every game, for the timers of a server that starts. Of many games, not all are in memory at
    /// once.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer; some games may have been visited.
    pub async fn visit_games(&self, mut visit: impl FnMut(&Arc<Game>) + Send) -> Result<(), Error> {
        live_operation(&self.location, "scan", self.store.scan(&mut visit)).await
    }

    /// The facts of every game.
    #[cfg(test)]
    pub async fn all(&self) -> Result<Vec<Arc<Game>>, Error> {
        let mut games = Vec::new();
        self.visit_games(|game| games.push(game.clone())).await?;
        Ok(games)
    }

    /// Gives the seats of a guest to the account that the guest has logged in to. Returns the games.
    ///
    /// # Errors
    /// As of [`change`](Self::change).
    pub async fn hand_over(&self, guest: &UserId, account: &User) -> Result<Vec<GameId>, Error> {
        let mut handed_over = Vec::new();
        for game in self.played(guest).await? {
            let hand_over = |game: &mut Game| Step::changed_if(game.hand_over(guest, account));
            if self.advance("hand_over", game.id, hand_over).await?.is_some() {
                handed_over.push(game.id);
            }
        }
        Ok(handed_over)
    }

    /// Checks that the live state works.
    ///
    /// # Errors
    /// The cause, for the log.
    pub async fn probe(&self) -> Result<(), String> {
        live_operation(&self.location, "probe", self.store.probe()).await
    }

    /// The value under a key. It may be an expired one that is not removed yet.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn read(&self, key: &str) -> Result<Option<Shared>, Error> {
        live_operation(&self.location, "read", self.store.read(key)).await
    }

    /// Stores a value under a key, if the current one is `expected`. Returns whether it did.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn write(
        &self,
        key: &str,
        expected: Option<&Shared>,
        value: Shared,
    ) -> Result<bool, Error> {
        live_operation(&self.location, "write", self.store.write(key, expected, Some(value))).await
    }

    /// Removes the value under a key, if it is still `expected`. Returns whether it did.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn remove(&self, key: &str, expected: &Shared) -> Result<bool, Error> {
        live_operation(&self.location, "remove", self.store.write(key, Some(expected), None)).await
    }

    /// Stores something under a new key, from which it can be taken once, until a time.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn store_one_time<T: OneTime>(
        &self,
        key: &str,
        it: &T,
        until: Timestamp,
    ) -> Result<(), Error> {
        let text = serde_json::to_string(it).map_err(Error::internal)?;
        let key = format!("{}:{key}", T::KIND);
        let kept = self.write(&key, None, Shared::new(text, until)).await?;
        // Keys are long and random.
        if kept { Ok(()) } else { Err(Kind::UNAVAILABLE.into()) }
    }

    /// Takes what was stored under the key, if it was not taken before and has not expired.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn take_one_time<T: OneTime>(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<T>, Error> {
        let key = format!("{}:{key}", T::KIND);
        let taken = live_operation(&self.location, "take", self.take_text(&key, now)).await?;
        taken.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
    }

    async fn take_text(&self, key: &str, now: Timestamp) -> Result<Option<String>, Error> {
        let Some(kept) = self.store.read(key).await? else { return Ok(None) };
        let is_ours = self.store.write(key, Some(&kept), None).await?;
        Ok(Some(kept.text).filter(|_| is_ours && now < kept.until))
    }

    /// Removes expired values under keys, unless the store does that by itself.
    pub(crate) fn expire(&self, now: Timestamp) {
        self.store.expire(now);
    }
}
