//! The live state of a server that is alone: in this process, and written down in the records.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::games::{Changed, Games};
use super::keys::OneTimeKeys;
use super::{Claim, Departed, Entry, Finish, LiveState};
use crate::Error;
use crate::game::{Door, Game, GameId, Progress, SocketId, Timestamp, User, UserId};
use crate::records::{Change, Journal, Records};

/// How long after a start the players of the games that were going on have to come back; the frontend
/// does so at once.
pub const RESUME_GRACE: Duration = Duration::from_secs(2);

/// One lock around all games of the process. Nothing is awaited under it.
pub struct Embedded {
    games: Mutex<Games>,
    keys: Mutex<OneTimeKeys>,
    journal: Journal,
    records: Records,
}

impl Embedded {
    /// Goes on with the games that the records know.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if they cannot be read.
    pub async fn resume(
        records: &Records,
        journal: Journal,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (last, games) = (records.last_game().await?, records.live_games().await?);
        if !games.is_empty() {
            tracing::info!(games = games.len(), "going on with the games of the last run");
        }
        let games = Mutex::new(Games::restore(last, games, now + RESUME_GRACE));
        let live = Self { games, keys: Mutex::default(), journal, records: records.clone() };
        live.reserve_ids().await?;
        live.write_again().await?;
        Ok(live)
    }

    /// Writes all facts once more: the last run may have been killed before PostgreSQL had them.
    async fn write_again(&self) -> Result<(), Error> {
        let mut writing = Vec::new();
        for game in self.all().await? {
            writing.push(self.journal.place().await?.enter(Change::Saved(game)));
        }
        for writing in writing {
            writing.done().await?;
        }
        Ok(())
    }

    /// Has the records set ids aside for games to come, if they do that.
    async fn reserve_ids(&self) -> Result<(), Error> {
        if let Some(ids) = self.records.reserve_games().await? {
            self.games.lock().reserve(ids);
        }
        Ok(())
    }

    /// Changes facts under the lock, and waits until they are written down.
    async fn change<T>(
        &self,
        operation: impl FnOnce(&mut Games) -> Changed<T>,
    ) -> Result<T, Error> {
        let place = self.journal.place().await?;
        let (outcome, writing) = {
            let mut games = self.games.lock();
            let (outcome, change) = operation(&mut games);
            (outcome, change.map(|change| place.enter(change)))
        };
        match writing {
            Some(writing) => writing.done().await.map(|()| outcome),
            None => Ok(outcome),
        }
    }
}

#[async_trait]
impl LiveState for Embedded {
    async fn enter(&self, entry: Entry) -> Result<Arc<Game>, Error> {
        loop {
            let entry = entry.clone();
            if let Some(game) = self.change(|games| games.enter(entry)).await? {
                return Ok(game);
            }
            self.reserve_ids().await?;
        }
    }

    async fn go_absent(
        &self,
        game: GameId,
        user: &UserId,
        socket: SocketId,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.go_absent(game, user, socket, now)).await
    }

    async fn abandon(
        &self,
        user: &UserId,
        door: &Door,
        socket: SocketId,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.abandon(user, door, socket, now)).await
    }

    async fn dismiss_absent(
        &self,
        game: GameId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Departed, Error> {
        self.change(|games| games.dismiss_absent(game, before, now)).await
    }

    async fn seat_bots(
        &self,
        game: GameId,
        bots: Vec<User>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.seat_bots(game, bots, limit, now)).await
    }

    async fn hasten(
        &self,
        game: GameId,
        host: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error> {
        self.change(|games| games.hasten(game, host, closes_at)).await?
    }

    async fn be_ready(
        &self,
        game: GameId,
        user: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error> {
        self.change(|games| games.be_ready(game, user, closes_at)).await?
    }

    async fn close_lobby(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.close_lobby(game, now)).await
    }

    async fn prepare(
        &self,
        game: GameId,
        words: Arc<str>,
        starts_at: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.prepare(game, words, starts_at)).await
    }

    async fn start(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.start(game, now)).await
    }

    async fn claim_start(
        &self,
        game: GameId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.change(|games| games.claim_start(game, user, now)).await
    }

    async fn release_start(
        &self,
        game: GameId,
        user: &UserId,
        claimed: Timestamp,
    ) -> Result<(), Error> {
        self.change(|games| games.release_start(game, user, claimed)).await
    }

    async fn track(
        &self,
        game: GameId,
        user: &UserId,
        seen: &Progress,
    ) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.track(game, user, seen)).await
    }

    async fn finish(&self, game: GameId, user: &UserId, claim: Claim) -> Result<Finish, Error> {
        self.change(|games| games.finish(game, user, claim)).await?
    }

    async fn end(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error> {
        self.change(|games| games.end(game, now)).await
    }

    async fn find(&self, game: GameId) -> Result<Option<Arc<Game>>, Error> {
        Ok(self.games.lock().find(game))
    }

    async fn all(&self) -> Result<Vec<Arc<Game>>, Error> {
        Ok(self.games.lock().all())
    }

    async fn played(&self, user: &UserId) -> Result<Vec<Arc<Game>>, Error> {
        let games = self.games.lock();
        Ok(games.played(user).into_iter().filter_map(|id| games.find(id)).collect())
    }

    async fn hand_over(&self, guest: &UserId, account: &User) -> Result<Vec<GameId>, Error> {
        let mut handed_over = Vec::new();
        let played = self.games.lock().played(guest);
        for game in played {
            if self.change(|games| games.hand_over(game, guest, account)).await?.is_some() {
                handed_over.push(game);
            }
        }
        Ok(handed_over)
    }

    /// It is this process; whether its journal can write is for the records to say.
    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }

    async fn keep_once(&self, key: String, text: String, until: Timestamp) -> Result<(), Error> {
        self.keys.lock().keep(key, text, until);
        Ok(())
    }

    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<String>, Error> {
        Ok(self.keys.lock().take(key, now))
    }

    fn expire_once(&self, now: Timestamp) {
        self.keys.lock().expire(now);
    }
}
