//! The live state of a single server: in this process, and in the records through the journal.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::shared::SharedValues;
use super::shelf::Shelf;
use super::{Applied, Index, Shared, Store, Transition, Visitor};
use crate::Error;
use crate::game::{Game, GameId, Timestamp};
use crate::records::{Change, Journal, Records};

/// Time after a start in which players of the resumed games may come back; the frontend does so at once.
pub const RESUME_GRACE: Duration = Duration::from_secs(2);

/// The games, under one lock that is never held across an await.
pub struct InProcess {
    shelf: Mutex<Shelf>,
    shared: Mutex<SharedValues>,
    journal: Journal,
    records: Records,
}

impl InProcess {
    /// Resumes the games in the records.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if they cannot be read.
    pub async fn resume(
        records: &Records,
        journal: Journal,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (last, mut games) = (records.last_game().await?, records.live_games().await?);
        if !games.is_empty() {
            tracing::info!(games = games.len(), "going on with the games of the last run");
        }
        games.iter_mut().for_each(|game| game.resume(now + RESUME_GRACE));
        let shelf = Mutex::new(Shelf::new(last, games));
        let live = Self { shelf, shared: Mutex::default(), journal, records: records.clone() };
        live.reserve_ids().await?;
        live.write_again().await?;
        Ok(live)
    }

    /// Writes all facts once more: the last run may have been killed before PostgreSQL had them.
    async fn write_again(&self) -> Result<(), Error> {
        let games = self.shelf.lock().all();
        let mut writing = Vec::new();
        for game in games {
            writing.push(self.journal.reserve().await?.write(Change::Saved(game)));
        }
        for writing in writing {
            writing.done().await?;
        }
        Ok(())
    }

    /// Reserves ids in the records, if they hand them out.
    async fn reserve_ids(&self) -> Result<(), Error> {
        if let Some(ids) = self.records.reserve_games().await? {
            self.shelf.lock().reserve(ids);
        }
        Ok(())
    }
}

#[async_trait]
impl Store for InProcess {
    async fn find(&self, ids: &[GameId]) -> Result<Vec<Arc<Game>>, Error> {
        let shelf = self.shelf.lock();
        Ok(ids.iter().filter_map(|id| shelf.find(*id)).collect())
    }

    async fn change(&self, id: GameId, transition: &mut Transition<'_>) -> Result<Applied, Error> {
        let permit = self.journal.reserve().await?;
        let (applied, writing) = {
            let mut shelf = self.shelf.lock();
            let (applied, change) = shelf.change(id, transition);
            (applied, change.map(|change| permit.write(change)))
        };
        match writing {
            Some(writing) => writing.done().await.map(|()| applied),
            None => Ok(applied),
        }
    }

    async fn open(
        &self,
        make: &mut (dyn FnMut(GameId) -> Game + Send),
    ) -> Result<Arc<Game>, Error> {
        loop {
            let permit = self.journal.reserve().await?;
            let opened = {
                let mut shelf = self.shelf.lock();
                shelf.open(make).map(|game| (permit.write(Change::Saved(game.clone())), game))
            };
            if let Some((writing, game)) = opened {
                return writing.done().await.map(|()| game);
            }
            self.reserve_ids().await?;
        }
    }

    async fn seek(&self, index: &Index, limit: usize) -> Result<Vec<Arc<Game>>, Error> {
        Ok(self.shelf.lock().seek(index, limit))
    }

    async fn scan(&self, visit: &mut Visitor<'_>) -> Result<(), Error> {
        let games = self.shelf.lock().all();
        games.iter().for_each(visit);
        Ok(())
    }

    async fn read(&self, key: &str) -> Result<Option<Shared>, Error> {
        Ok(self.shared.lock().read(key))
    }

    async fn write(
        &self,
        key: &str,
        expected: Option<&Shared>,
        value: Option<Shared>,
    ) -> Result<bool, Error> {
        Ok(self.shared.lock().write(key, expected, value))
    }

    /// Nothing to check: the probe of the records covers the journal.
    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }

    fn expire(&self, now: Timestamp) {
        self.shared.lock().expire(now);
    }
}
