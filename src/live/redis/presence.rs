//! Which pods are alive, and which of them hold sockets of a game.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::{RedisLive, failed, scripts};
use crate::Error;
use crate::game::{Game, GameId, PodName, Timestamp};
use crate::live::{Applied, Index, Step, Store};

/// Heartbeat timeout: how long a pod counts as alive after its last heartbeat, in milliseconds.
const ALIVE: i64 = 6_000;

/// Time to live of a game's set of pods; each pod that enters the game extends it. Longer than any game: a pod that is
/// missing from the set gets no more events of the game.
const REMEMBERED: i64 = 24 * 3600 * 1000;

/// How many players have a socket open.
#[derive(Debug, Default)]
pub(super) struct OnlineCount {
    /// On this pod; sent with the next heartbeat.
    here: AtomicU64,
    /// On the other living pods, as of the answer to the last heartbeat.
    elsewhere: AtomicU64,
    /// The living pods, as of that answer.
    pods: Mutex<Vec<PodName>>,
}

/// The answer to a heartbeat.
#[derive(Debug)]
pub struct BeatAnswer {
    /// The pods that are alive.
    pub alive: Vec<PodName>,
    /// Whether this pod was not on the list of living pods: at its first heartbeat, after Redis has lost its memory, or
    /// after another pod removed it because it was silent for too long.
    pub is_news: bool,
}

impl RedisLive {
    /// The name of this pod.
    pub fn pod(&self) -> &PodName {
        &self.pod
    }

    /// Notes that this pod holds a socket of the game from now on. Returns all pods that do.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn enter_pod(&self, game: GameId) -> Result<Vec<PodName>, Error> {
        let key = self.keys.pods_of(game);
        let mut pipeline = redis::pipe();
        pipeline.atomic().sadd(&key, self.pod.as_str()).ignore();
        pipeline.pexpire(&key, REMEMBERED).ignore().smembers(&key);
        let asked = async { pipeline.query_async(&mut self.redis.clone()).await.map_err(failed) };
        let (members,): (Vec<String>,) = self.timed("enter_pod", asked).await?;
        Ok(names(members))
    }

    /// Notes that this pod has closed its last socket of the game.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn leave_pod(&self, game: GameId) -> Result<(), Error> {
        let mut command = redis::cmd("SREM");
        command.arg(self.keys.pods_of(game)).arg(self.pod.as_str());
        let left = async { command.exec_async(&mut self.redis.clone()).await.map_err(failed) };
        self.timed("leave_pod", left).await
    }

    /// The pods that hold sockets of the game. A dead pod may still be among them; [`Self::beat`] returns the living
    /// ones.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn pods_of(&self, game: GameId) -> Result<Vec<PodName>, Error> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.pods_of(game));
        let asked = async { command.query_async(&mut self.redis.clone()).await.map_err(failed) };
        self.timed("pods_of", asked).await.map(names)
    }

    /// Sets how many players have a socket open here; the other pods learn it with the next heartbeat.
    pub fn set_players_here(&self, players: u64) {
        self.online.here.store(players, Ordering::Relaxed);
    }

    /// How many players have a socket open on the other pods, as of the last heartbeat.
    pub fn players_elsewhere(&self) -> u64 {
        self.online.elsewhere.load(Ordering::Relaxed)
    }

    /// The pods that were alive at the last heartbeat.
    pub fn pods(&self) -> Vec<String> {
        self.online.pods.lock().iter().map(ToString::to_string).collect()
    }

    /// The heartbeat of this pod, with its number of players. Returns the pods with a heartbeat within the last six
    /// seconds, by the clock of Redis.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn beat(&self) -> Result<BeatAnswer, Error> {
        let mut call = scripts::BEAT.key(self.keys.pods());
        call.key(self.keys.players());
        call.arg(self.pod.as_str()).arg(ALIVE).arg(self.online.here.load(Ordering::Relaxed));
        let (added, alive, elsewhere): (u32, Vec<String>, u64) =
            self.timed("beat", self.run(&call)).await?;
        self.online.elsewhere.store(elsewhere, Ordering::Relaxed);
        let alive = names(alive);
        self.online.pods.lock().clone_from(&alive);
        Ok(BeatAnswer { alive, is_news: added == 1 })
    }

    /// The pods without a heartbeat for longer than that which have neither said farewell nor been removed.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn silent_pods(&self) -> Result<Vec<PodName>, Error> {
        let asked = async {
            let silent = self.time().await?.0 / 1000 - ALIVE;
            let mut command = redis::cmd("ZRANGEBYSCORE");
            command.arg(self.keys.pods()).arg("-inf").arg(format!("({silent}"));
            command.query_async(&mut self.redis.clone()).await.map_err(failed)
        };
        self.timed("silent_pods", asked).await.map(names)
    }

    /// Removes a dead pod and its sockets: players of waiting lobbies without another socket are absent from `now` on.
    /// Returns the changed games, so that their timers can be set. Idempotent: several pods may call it.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer: to be tried again.
    pub async fn forget_pod(
        &self,
        dead: &PodName,
        now: Timestamp,
    ) -> Result<Vec<Arc<Game>>, Error> {
        self.timed("forget_pod", self.forget(dead, now)).await
    }

    async fn forget(&self, dead: &PodName, now: Timestamp) -> Result<Vec<Arc<Game>>, Error> {
        let mut changed = Vec::new();
        for game in self.seek(&Index::Waiting, usize::MAX).await? {
            if !Game::clone(&game).lose_pod(dead, now) {
                continue;
            }
            let mut lose = |game: &mut Game| Step::changed_if(game.lose_pod(dead, now));
            if let Applied::Done(game) = self.change(game.id, &mut lose).await? {
                changed.push(game);
            }
        }
        self.take_off(dead).await?;
        Ok(changed)
    }

    /// Removes this pod from the list of living pods; it stops, and has closed its sockets.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn farewell(&self) -> Result<(), Error> {
        self.timed("farewell", self.take_off(&self.pod)).await
    }

    /// Removes a pod, and its number of players.
    async fn take_off(&self, pod: &PodName) -> Result<(), Error> {
        let mut pipeline = redis::pipe();
        pipeline.atomic().zrem(self.keys.pods(), pod.as_str()).ignore();
        pipeline.hdel(self.keys.players(), pod.as_str()).ignore();
        pipeline.exec_async(&mut self.redis.clone()).await.map_err(failed)
    }
}

fn names(members: Vec<String>) -> Vec<PodName> {
    members.iter().map(|name| name.as_str().into()).collect()
}
