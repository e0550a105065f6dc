//! The live state: the facts of lobbies and races, as values that all servers of an installation share.
//!
//! A game is a value. What happens to it is a *transition*: a pure function of a handler module that gets the facts,
//! changes them, and says so in a [`Step`]. A [`Store`] knows no rule: it applies transitions, each to the newest facts
//! and as a whole, so that players who come, leave and finish together are all counted. In one process
//! ([`InProcess`]) what has changed is written down before anybody hears of it; on Redis ([`RedisLive`]), which several
//! servers share, a result is.

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

pub use self::redis::{Beat, RedisLive};
pub use index::Index;
pub use process::InProcess;
pub use shared::{OneTime, Shared};
pub use step::{Fate, Step};

use crate::game::{Game, GameId, PodName, Timestamp, User, UserId};
use crate::telemetry::{Store as Place, live_operation};
use crate::{Error, Kind};

/// What a transition is to a store. It may run several times, each time on fresh facts: what it says the last time counts.
pub type Transition<'a> = dyn FnMut(&mut Game) -> Step<()> + Send + 'a;

/// What becomes of a transition.
#[derive(Clone, Debug)]
pub enum Applied {
    /// There is no such game.
    Missing,
    /// By the clock that all pods share its time has not come: nothing has changed.
    TooEarly,
    /// It was applied, and leaves these facts; those that were taken away, if the game is over.
    Done(Arc<Game>),
}

/// Keeps the values of games, and small values under keys, for as long as they are live.
///
/// Every operation fails with `SERVICE_UNAVAILABLE` if the store does not answer, or could not write it down.
#[async_trait]
pub trait Store: Send + Sync {
    /// The facts of those games that are there, in the order asked for.
    async fn find(&self, ids: &[GameId]) -> Result<Vec<Arc<Game>>, Error>;

    /// Applies a transition to a game.
    async fn change(&self, id: GameId, transition: &mut Transition<'_>) -> Result<Applied, Error>;

    /// Opens a game under an id that none has had. `make` may be asked again, with another id.
    async fn open(&self, make: &mut (dyn FnMut(GameId) -> Game + Send))
    -> Result<Arc<Game>, Error>;

    /// The games that an index leads to, oldest first, at most so many.
    async fn seek(&self, index: &Index, limit: usize) -> Result<Vec<Arc<Game>>, Error>;

    /// The facts of every game.
    async fn scan(&self) -> Result<Vec<Arc<Game>>, Error>;

    /// The value under a key. It may be one whose time is over, and which is not forgotten yet.
    async fn read(&self, key: &str) -> Result<Option<Shared>, Error>;

    /// Puts a value under a key (`None`: takes it away), if the one there is the expected one. Returns whether it did.
    async fn write(
        &self,
        key: &str,
        expected: Option<&Shared>,
        value: Option<Shared>,
    ) -> Result<bool, Error>;

    /// Whether it does what is needed of it, a write most of all.
    ///
    /// # Errors
    /// The cause, for the log.
    async fn probe(&self) -> Result<(), String>;

    /// Forgets values under keys whose time is over, unless that happens by itself.
    fn expire(&self, _now: Timestamp) {}
}

/// The live state as handler modules see it: operations with names, measured and traced. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    store: Arc<dyn Store>,
    place: Place,
    pod: PodName,
}

impl Live {
    /// That of a server that is alone.
    pub fn in_process(store: InProcess) -> Self {
        Self { store: Arc::new(store), place: Place::HERE, pod: "here".into() }
    }

    /// That of one of several.
    pub fn on_redis(store: RedisLive) -> Self {
        let (place, pod) = (store.place().clone(), store.pod().clone());
        Self { store: Arc::new(store), place, pod }
    }

    #[cfg(test)]
    pub(crate) fn of(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), place: Place::HERE, pod: "here".into() }
    }

    /// The pod that sockets of this server are noted under.
    pub fn pod(&self) -> &PodName {
        &self.pod
    }

    /// Applies a transition to a game. Returns what it says, and the facts as it left them; `None` if there is no such
    /// game, or if its time has not come by the clock that all pods share.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down: then it may have
    /// happened all the same.
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
        match live_operation(&self.place, operation, work).await? {
            Applied::Done(game) => Ok(outcome.map(|outcome| (outcome, game))),
            Applied::Missing | Applied::TooEarly => Ok(None),
        }
    }

    /// The same for a transition that has nothing to say but whether it changed something: then these are the facts
    /// as it left them.
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

    /// Opens a game under a new id. `make` may be asked again, with another one.
    ///
    /// # Errors
    /// As of [`change`](Self::change).
    pub async fn open(
        &self,
        mut make: impl FnMut(GameId) -> Game + Send,
    ) -> Result<Arc<Game>, Error> {
        live_operation(&self.place, "open", self.store.open(&mut make)).await
    }

    /// The facts of a game.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn find(&self, id: GameId) -> Result<Option<Arc<Game>>, Error> {
        Ok(live_operation(&self.place, "find", self.store.find(&[id])).await?.pop())
    }

    /// The games that an index leads to, oldest first, at most so many.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn seek(&self, index: Index, limit: usize) -> Result<Vec<Arc<Game>>, Error> {
        live_operation(&self.place, "seek", self.store.seek(&index, limit)).await
    }

    /// The games that are kept in which a user has a seat, oldest first.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn played(&self, user: &UserId) -> Result<Vec<Arc<Game>>, Error> {
        let mut games = self.seek(Index::Player(user.clone()), usize::MAX).await?;
        games.retain(|game| game.player(user).is_some());
        Ok(games)
    }

    /// The facts of every game, for the timers of a server that starts.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn all(&self) -> Result<Vec<Arc<Game>>, Error> {
        live_operation(&self.place, "scan", self.store.scan()).await
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

    /// Whether it does what is needed of it.
    ///
    /// # Errors
    /// The cause, for the log.
    pub async fn probe(&self) -> Result<(), String> {
        live_operation(&self.place, "probe", self.store.probe()).await
    }

    /// The value under a key. It may be one whose time is over, and which is not forgotten yet.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn read(&self, key: &str) -> Result<Option<Shared>, Error> {
        live_operation(&self.place, "read", self.store.read(key)).await
    }

    /// Puts a value under a key, if the one there is the expected one. Returns whether it did.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn write(
        &self,
        key: &str,
        expected: Option<&Shared>,
        value: Shared,
    ) -> Result<bool, Error> {
        live_operation(&self.place, "write", self.store.write(key, expected, Some(value))).await
    }

    /// Keeps something under a new key, where it can be taken once until then.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn keep<T: OneTime>(&self, key: &str, it: &T, until: Timestamp) -> Result<(), Error> {
        let text = serde_json::to_string(it).map_err(Error::internal)?;
        let key = format!("{}:{key}", T::KIND);
        let kept = self.write(&key, None, Shared::new(text, until)).await?;
        // Keys are drawn by chance, and long.
        if kept { Ok(()) } else { Err(Kind::UNAVAILABLE.into()) }
    }

    /// What was kept under the key, if it is not used or too old. The key is not good any more.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    pub async fn take<T: OneTime>(&self, key: &str, now: Timestamp) -> Result<Option<T>, Error> {
        let key = format!("{}:{key}", T::KIND);
        let taken = live_operation(&self.place, "take", self.take_text(&key, now)).await?;
        taken.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
    }

    async fn take_text(&self, key: &str, now: Timestamp) -> Result<Option<String>, Error> {
        let Some(kept) = self.store.read(key).await? else { return Ok(None) };
        let is_ours = self.store.write(key, Some(&kept), None).await?;
        Ok(Some(kept.text).filter(|_| is_ours && now < kept.until))
    }

    /// Forgets values under keys whose time is over, unless that happens by itself.
    pub(crate) fn expire(&self, now: Timestamp) {
        self.store.expire(now);
    }
}
