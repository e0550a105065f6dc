//! Reading facts, wherever they lie.

use std::sync::Arc;

use super::facts::{self, Fields};
use super::{RedisLive, failed};
use crate::Error;
use crate::game::{Game, GameId};

/// Games that are read in one round trip.
const AT_ONCE: usize = 200;

impl RedisLive {
    /// The facts of those games that are there.
    pub(super) async fn look_up(&self, ids: &[GameId]) -> Result<Vec<Arc<Game>>, Error> {
        let all = ids.len();
        let mut games = Vec::with_capacity(all);
        for ids in ids.chunks(AT_ONCE) {
            let mut pipeline = redis::pipe();
            for id in ids {
                // The lobby first: a game that moves meanwhile is found in one of the two at least.
                pipeline.hgetall(self.keys.waiting(*id)).hgetall(self.keys.racing(*id));
            }
            let asked = pipeline.query_async(&mut self.redis.clone()).await;
            let fields: Vec<Fields> = asked.map_err(failed)?;
            for (id, fields) in ids.iter().zip(fields.chunks(2)) {
                // In both, if it is just being moved: then those of the race are the newer ones.
                let there = fields.iter().rfind(|fields| !fields.is_empty());
                match there.map(|fields| facts::read(*id, fields)) {
                    Some(Ok(game)) => games.extend(game.map(Arc::new)),
                    // It has been logged; the others are not to suffer for it.
                    Some(Err(error)) if all > 1 => drop(error),
                    Some(Err(error)) => return Err(error),
                    None => {}
                }
            }
        }
        Ok(games)
    }

    /// How often the facts of each game have changed; `None` if it is not there.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn versions(&self, ids: &[GameId]) -> Result<Vec<Option<u64>>, Error> {
        self.timed("versions", self.ask_for_versions(ids)).await
    }

    async fn ask_for_versions(&self, ids: &[GameId]) -> Result<Vec<Option<u64>>, Error> {
        let mut versions = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let mut pipeline = redis::pipe();
            for id in ids {
                pipeline.hget(self.keys.waiting(*id), "version");
                pipeline.hget(self.keys.racing(*id), "version");
            }
            let asked = pipeline.query_async(&mut self.redis.clone()).await;
            let read: Vec<Option<u64>> = asked.map_err(failed)?;
            versions.extend(read.chunks(2).map(|of| of.iter().rev().flatten().next().copied()));
        }
        Ok(versions)
    }

    /// The games that are not over.
    pub(super) async fn ids(&self) -> Result<Vec<GameId>, Error> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.keys.games()).arg(0).arg(-1);
        let ids: Result<Vec<i64>, _> = command.query_async(&mut self.redis.clone()).await;
        Ok(ids.map_err(failed)?.into_iter().map(GameId).collect())
    }
}
